// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { join } from "node:path";
import { logLine } from "../../test/support/log-records.ts";
import { runMain } from "../../test/support/run-main.ts";
import { type MeshFolder, meshFolder } from "../../test/support/mesh-folder.ts";

const policy = (name: string, when: string) => `apiVersion: purser.dev/v1
kind: AccessPolicy
metadata: { name: ${name} }
spec: { action: DENY, when: '${when}' }
`;
const quota = (limit: number) => `apiVersion: purser.dev/v1
kind: QuotaPolicy
metadata: { name: q }
spec: { limit: ${limit}, window: 60s }
`;

describe("purser diff", function () {
  this.timeout(30_000);
  let folder: MeshFolder;
  afterEach(() => folder.remove());

  const paths = (...names: readonly string[]) => names.map((name) => join(folder.path, name));
  const diff = async (names: readonly string[], ...flags: readonly string[]) => {
    const { code, out } = await runMain("diff", ...paths(...names), ...flags);
    return { code, text: out.replaceAll(`${folder.path}/`, "") };
  };

  it("prints what differs and what refuses less, and exits with 1", async () => {
    folder = meshFolder({
      "old/a.yaml": policy("gone", 'request.method = "DELETE"'),
      "old/b.yaml": quota(100),
      "new/c.yaml": quota(200),
      "new/d.yaml": policy("fresh", "false"),
    });
    const { code, text } = await diff(["old", "new"]);
    assert.equal(
      text,
      [
        "~ QuotaPolicy/q  new/c.yaml:1",
        "    ! less is refused: its limit is higher",
        "    limit: 100 → 200",
        "+ AccessPolicy/fresh  new/d.yaml:1",
        "- AccessPolicy/gone  old/a.yaml:1",
        "    ! less is refused: a document that refuses requests is gone",
        "",
      ].join("\n"),
    );
    assert.equal(code, 1);
    const { text: json } = await diff(["old", "new"], "--json");
    const { changes } = JSON.parse(json) as { changes: readonly { change: string; weakening?: string }[] };
    assert.deepEqual(
      changes.map(({ change, weakening }) => [change, weakening !== undefined]),
      [
        ["changed", true],
        ["added", false],
        ["removed", true],
      ],
    );
  });

  it("exits with 0 when no document differs, however the files are cut, and with 2 for a faulty set", async () => {
    folder = meshFolder({
      "old/a.yaml": quota(1),
      "old/b.yaml": policy("p", "false"),
      "new/c.yaml": `${policy("p", "false")}---\n${quota(1)}`,
      "bad/a.yaml": "kind: [",
    });
    assert.deepEqual(await diff(["old", "new"]), { code: 0, text: "no document differs\n" });
    assert.equal((await diff(["old", "bad"])).code, 2);
    assert.equal((await diff(["old", "nowhere"])).code, 2);
    assert.equal((await diff(["old"])).code, 2);
  });

  it("replays a log's requests by both sets", async () => {
    const log = logLine(undefined, { id: "1", time: "2020-01-01T00:00:00.000Z" });
    folder = meshFolder({
      "old.yaml": policy("p", "false"),
      "new.yaml": policy("p", "true"),
      log: `${JSON.stringify(log)}\n`,
    });
    const { code, text } = await diff(["old.yaml", "new.yaml"], "--log", join(folder.path, "log"));
    assert.equal(code, 1);
    assert.match(text, /^~ AccessPolicy\/p {2}new\.yaml:1\n {4}when: "false" → "true"\n\n/);
    assert.match(text, /newly denied/i);
  });
});
