// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { logLine } from "../../test/support/log-records.ts";
import { meshFolder, type MeshFolder } from "../../test/support/mesh-folder.ts";
import { main } from "../main.ts";

const POLICY = `apiVersion: purser.dev/v1
kind: AccessPolicy
metadata: { name: p }
spec: { action: DENY, when: 'request.method = "DELETE"' }
`;
const OLD = `${JSON.stringify(logLine(undefined, { id: "1", time: "2020-01-01T00:00:00.000Z" }))}\n`;

/** Runs a command with its output kept from the terminal. */
async function run(args: readonly string[]): Promise<{ readonly code: number; readonly text: string }> {
  let text = "";
  const { stdout, stderr } = process;
  const writes = [stdout.write.bind(stdout), stderr.write.bind(stderr)] as const;
  const keep = (chunk: unknown, ...rest: readonly unknown[]): boolean => {
    text += String(chunk);
    const done = rest.at(-1);
    if (typeof done === "function") (done as () => void)();
    return true;
  };
  stdout.write = keep;
  stderr.write = keep;
  try {
    return { code: await main(args), text };
  } finally {
    stdout.write = writes[0];
    stderr.write = writes[1];
  }
}

describe("commands that are given nothing to do", () => {
  let folder: MeshFolder;
  afterEach(() => folder.remove());

  const CASES: readonly (readonly [string, Readonly<Record<string, string>>, readonly string[], RegExp])[] = [
    ["validate on an empty folder", {}, ["validate", "."], /PURSER_CONFIG_EMPTY/],
    [
      "validate on files without a document",
      { "a.yaml": "# nothing\n---\n" },
      ["validate", "."],
      /PURSER_CONFIG_EMPTY/,
    ],
    [
      "validate on one folder of two that is empty",
      { "p/a.yaml": POLICY, "q/b.txt": "" },
      ["validate", "p", "q"],
      /q.*PURSER_CONFIG_EMPTY/,
    ],
    [
      "validate on attributes alone",
      {
        "a.yaml":
          "apiVersion: purser.dev/v1\nkind: AttributeManifest\nmetadata: { name: m }\nspec: { attributes: { my.own: { type: STRING } } }\n",
      },
      ["validate", "."],
      /no document that this process works with.*PURSER_CONFIG_EMPTY/,
    ],
    ["validate as JSON", {}, ["validate", ".", "--format", "json"], /"code": "PURSER_CONFIG_EMPTY"/],
    ["test on an empty folder", {}, ["test", "."], /PURSER_NO_TESTS/],
    ["test on policies alone", { "a.yaml": POLICY }, ["test", "."], /PURSER_NO_TESTS/],
    [
      "replay of an empty log",
      { "p.yaml": POLICY, log: "" },
      ["replay", "--log", "log", "--candidate", "p.yaml"],
      /the logs are empty.*PURSER_REPLAY_EMPTY/,
    ],
    [
      "replay of garbage",
      { "p.yaml": POLICY, log: "a\nb\n{}\n" },
      ["replay", "--log", "log", "--candidate", "p.yaml"],
      /3 malformed, the first at .*log:1.*PURSER_REPLAY_EMPTY/,
    ],
    [
      "replay of another time",
      { "p.yaml": POLICY, log: OLD },
      ["replay", "--log", "log", "--candidate", "p.yaml", "--since", "2024-01-01"],
      /1 outside --since and --until.*PURSER_REPLAY_EMPTY/,
    ],
    [
      "replay of fewer requests than --min-requests",
      { "p.yaml": POLICY, log: `${OLD}{}\n` },
      ["replay", "--log", "log", "--candidate", "p.yaml", "--min-requests", "2"],
      /only 1 of 2 requests to replay in .*: lines: 1 malformed.*PURSER_REPLAY_EMPTY/,
    ],
    [
      "replay against an empty folder",
      { "p/x.txt": "", log: OLD },
      ["replay", "--log", "log", "--candidate", "p"],
      /PURSER_CONFIG_EMPTY/,
    ],
    [
      "explain with an empty folder",
      { "p/x.txt": "" },
      ["explain", "-c", "p", "--request", "GET http://a/"],
      /PURSER_CONFIG_EMPTY/,
    ],
  ];
  for (const [name, files, args, message] of CASES) {
    it(`${name}: exit code 2, with the reason`, async () => {
      folder = meshFolder(files);
      const there = args.map((arg) =>
        arg === "." || arg === "log" || /^[pq](\.yaml)?$/.test(arg) ? `${folder.path}/${arg}` : arg,
      );
      const { code, text } = await run(there);
      assert.match(text, message);
      assert.equal(code, 2);
    });
  }

  it("accept as many requests as --min-requests", async () => {
    folder = meshFolder({ "p.yaml": POLICY, log: OLD });
    const at = (name: string): string => `${folder.path}/${name}`;
    const { code, text } = await run([
      "replay",
      "--log",
      at("log"),
      "--candidate",
      at("p.yaml"),
      "--min-requests",
      "1",
    ]);
    assert.equal(code, 0, text);
  });

  it("accept a set with an EmptySet document", async () => {
    folder = meshFolder({
      "a.yaml":
        "apiVersion: purser.dev/v1\nkind: EmptySet\nmetadata: { name: none }\nspec: { reason: a new mesh }\n",
    });
    const { code, text } = await run(["validate", folder.path]);
    assert.equal(code, 0, text);
  });
});
