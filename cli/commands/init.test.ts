// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type MeshFolder, meshFolder } from "../../test/support/mesh-folder.ts";
import { runMain } from "../../test/support/run-main.ts";

describe("purser init", () => {
  let folder: MeshFolder;
  beforeEach(() => (folder = meshFolder({})));
  afterEach(() => folder.remove());

  const init = (name: string, ...flags: readonly string[]) =>
    runMain("init", join(folder.path, name), ...flags);

  it("writes documents without a fault, whose tests pass, for each form of an address", async () => {
    for (const [name, upstream, resolution] of [
      ["a", "127.0.0.1:3000", "STATIC"],
      ["b", "[::1]:3000", "STATIC"],
      ["c", "books.internal:8080", "DNS"],
    ] as const) {
      assert.equal((await init(name, "--service", "books", "--upstream", upstream)).code, 0);
      const path = join(folder.path, name);
      const validated = await runMain("validate", path);
      assert.match(validated.out, /8 documents, 7 expressions, 0 errors, 0 warnings/);
      assert.match((await runMain("test", path)).out, /^3 passed$/m);
      assert.match(readFileSync(join(path, "routes.yaml"), "utf8"), new RegExp(`resolution: ${resolution}`));
    }
  });

  it("names the schema beside the documents in each of them", async () => {
    const { out } = await init("mesh");
    const path = join(folder.path, "mesh");
    const files = readdirSync(path);
    for (const file of files.filter((each) => each.endsWith(".yaml"))) {
      assert.ok(out.includes(join(path, file)));
      const [first = ""] = readFileSync(join(path, file), "utf8").split("\n");
      const [, schema = ""] = /^# yaml-language-server: \$schema=(\S+)$/.exec(first) ?? [];
      assert.ok(files.includes(schema), `${file}: ${first}`);
      assert.ok(JSON.parse(readFileSync(join(path, schema), "utf8")));
    }
  });

  it("writes nothing over files, and nothing for what cannot be a service or an address", async () => {
    folder.write("full/a.txt", "mine");
    folder.write("file", "");
    const cases: readonly (readonly [string, readonly string[], RegExp])[] = [
      ["full", [], /full is not empty/],
      ["file", [], /file is a file/],
      ["new", ["--service", "Web"], /--service: "Web"/],
      ["new", ["--service", "a: b"], /--service/],
      ["new", ["--upstream", "localhost"], /--upstream: "localhost" is no HOST:PORT/],
      ["new", ["--upstream", "localhost:0"], /--upstream/],
      ["new", ["--upstream", "localhost:70000"], /--upstream/],
      ["new", ["--upstream", "http://localhost:80"], /--upstream/],
      ["new", ["--upstream", "a, b: c:80"], /--upstream/],
      ["new", ["--upstream", "[zz]:80"], /--upstream/],
    ];
    for (const [name, flags, expected] of cases) {
      const { code, err } = await init(name, ...flags);
      assert.equal(code, 2, flags.join(" "));
      assert.match(err, expected);
    }
    assert.deepEqual(readdirSync(folder.path).toSorted(), ["file", "full"]);
    assert.deepEqual(readdirSync(join(folder.path, "full")), ["a.txt"]);
  });
});
