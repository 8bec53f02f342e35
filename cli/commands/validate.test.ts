// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { join } from "node:path";
import { Command } from "commander";
import { documentsOn, filesEndingIn, readText, ROOT } from "../../test/support/documentation.ts";
import { meshFolder, type MeshFolder } from "../../test/support/mesh-folder.ts";
import type { Output } from "../actions/validate.ts";
import { validateCommand } from "./validate.ts";
import { runProgram } from "../main.ts";

const RISKY = `apiVersion: purser.dev/v1
kind: AccessPolicy
metadata: { name: guests }
spec:
  action: DENY
  when: 'request.headers."x-user" != "bob"'
`;

const WRONG = `apiVersion: purser.dev/v1
kind: AccessPolicy
metadata: { name: large }
spec:
  action: DENY
  when: request.size
`;

describe("purser validate", () => {
  let folder: MeshFolder;

  afterEach(() => folder.remove());

  async function validate(
    files: Readonly<Record<string, string>>,
    args: readonly string[] = [],
    isTTY = false,
  ): Promise<{ readonly code: number; readonly text: string }> {
    folder = meshFolder(files);
    let text = "";
    const output: Output = { isTTY, write: (more) => (text += more) };
    const program = new Command("purser").addCommand(validateCommand(output));
    const code = await runProgram(program, ["validate", folder.path, ...args]);
    return { code, text: text.replaceAll(`${folder.path}/`, "") };
  }

  it("shows each fault underlined in its line, with its remedy, and counts faults", async () => {
    const { code, text } = await validate({ "b.yaml": WRONG, "a.yaml": RISKY });
    assert.equal(
      text,
      `a.yaml:6:10: warning: request.headers."x-user" may be absent, and != is false then: such a request is not refused (did you mean "$not(request.headers.\\"x-user\\" = \\"bob\\")"?) [PURSER_EXPR_ABSENT]
      when: 'request.headers."x-user" != "bob"'
             ^~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~
    Write what an absent attribute means, with $exists() or as the message shows.

b.yaml:6:9: error: the condition gives a number where true or false is needed (did you mean "$exists(request.size)"?) [PURSER_EXPR_CONDITION]
      when: request.size
            ^~~~~~~~~~~~
    Compare the value with a constant, or test with $exists() whether it is present.

2 documents, 2 expressions, 1 error, 1 warning
`,
    );
    assert.equal(code, 2);
  });

  // Each of these documents was once accepted by validate and refused by run.
  const HANDLERS: readonly (readonly [string, string, RegExp])[] = [
    ["4:46", 'adapter: redis-quota, config: { url: "unix:///tmp/r.sock" }', /not of the form redis/],
    ["4:46", 'adapter: redis-quota, config: { url: "redis://:a%b@127.0.0.1" }', /write %25 for %/],
    ["4:46", 'adapter: redis-quota, config: { url: "redis://127.0.0.1?password=x" }', /a query/],
    [
      "4:73",
      'adapter: redis-quota, config: { url: "redis://127.0.0.1", port: 5 }',
      /either url, or host, port/,
    ],
    ["4:50", "adapter: redis-quota, config: { timeout: 0s }", /timeout must be 1ms at least/],
    ["4:55", "plugin: list, config: { type: cidr, entries: [10.0.0.0/33] }", /prefix length "33"/],
    ["4:56", 'plugin: list, config: { type: regex, entries: ["(?=.*a)"] }', /lookahead/],
    [
      "4:56",
      "plugin: header-operations, config: { request: [{ operation: set, name: host, value: a }] }",
      /may not change the header host/,
    ],
    ["4:40", "adapter: decision-log, config: { path: a, hash: [request.headers.x-a] }", /hashKey must be/],
    [
      "4:80",
      'plugin: deny, config: { directResponse: { code: 403, headers: { "x y": a } } }',
      /"x y" is not/,
    ],
    ["4:53", "adapter: prometheus, config: { expireAfter: 0s }", /more than 0/],
  ];
  for (const [place, spec, message] of HANDLERS) {
    it(`refuses ${spec}, at its place`, async () => {
      const text = `apiVersion: purser.dev/v1\nkind: Handler\nmetadata: { name: h }\nspec: { ${spec} }\n`;
      const outcome = await validate({ "a.yaml": text });
      assert.equal(outcome.code, 2);
      assert.match(outcome.text, message);
      assert.match(outcome.text, new RegExp(`^a\\.yaml:${place}: error: .*PURSER_DOC_INVALID_VALUE`));
    });
  }

  it("accepts warnings by default", async () => {
    const outcome = async (...args: readonly string[]) => {
      const { code, text } = await validate({ "a.yaml": RISKY }, args);
      return `${code} ${text.trim().split("\n").at(-1)}`;
    };
    assert.equal(await outcome(), "0 1 document, 1 expression, 0 errors, 1 warning");
    assert.equal(await outcome("--warnings-as-errors"), "2 1 document, 1 expression, 1 error, 0 warnings");
    assert.equal(
      await outcome("--promote=PURSER_EXPR_ABSENT"),
      "2 1 document, 1 expression, 1 error, 0 warnings",
    );
    assert.equal(
      await outcome("--promote=PURSER_EXPR_UNCACHED"),
      "0 1 document, 1 expression, 0 errors, 1 warning",
    );
    assert.equal(await outcome("--quiet"), "0 ");
  });

  it("writes JSON for editors", async () => {
    const { code, text } = await validate({ "a.yaml": RISKY }, ["--format=json"]);
    assert.equal(code, 0);
    assert.deepEqual(JSON.parse(text), [
      {
        file: "a.yaml",
        line: 6,
        column: 10,
        endLine: 6,
        endColumn: 43,
        severity: "warning",
        code: "PURSER_EXPR_ABSENT",
        message:
          'request.headers."x-user" may be absent, and != is false then: such a request is not refused',
        suggestion: '$not(request.headers."x-user" = "bob")',
        remedy: "Write what an absent attribute means, with $exists() or as the message shows.",
      },
    ]);
  });

  it("underlines the faulty part as the line writes it, including escapes", async () => {
    const when = `'"a" = request.useragent or request.useragent != ''b'''`;
    const { text } = await validate({ "a.yaml": RISKY.replace(/'request.*'/, () => when) });
    const [, line = "", underline = ""] = text.split("\n");
    assert.equal(line.slice(underline.indexOf("^"), underline.length), "request.useragent != ''b''");
  });

  it("colours a terminal unless NO_COLOR is set", async () => {
    const before = process.env["NO_COLOR"];
    try {
      delete process.env["NO_COLOR"];
      const coloured = await validate({ "a.yaml": RISKY }, [], true);
      assert.ok(coloured.text.includes("\u001B[1;33mwarning\u001B[0m"));
      process.env["NO_COLOR"] = "1";
      const plain = await validate({ "a.yaml": RISKY }, [], true);
      assert.ok(!plain.text.includes("\u001B"));
    } finally {
      if (before === undefined) delete process.env["NO_COLOR"];
      else process.env["NO_COLOR"] = before;
    }
  });

  it("cuts long lines to a screen's width, and replaces control characters", async () => {
    const long = RISKY.replace("request", `"${"a".repeat(500)}" = "\u009B2J" or request`);
    const { text } = await validate({ "a.yaml": long });
    assert.ok(text.split("\n").some((line) => line.includes("^~")));
    for (const line of text.split("\n").filter((shown) => shown.startsWith("    ")))
      assert.ok(line.length <= 164 && !line.includes("\u009B"), line);
  });

  it("finds no fault in shipped and documented documents", async () => {
    const pages = filesEndingIn(".md").map((page) => [
      page.replaceAll("/", "_"),
      documentsOn(readText(page)),
    ]);
    const files = Object.fromEntries(pages.filter(([, text]) => text !== ""));
    assert.ok(Object.keys(files).length >= 3);
    for (const [page, text] of Object.entries(files) as [string, string][]) {
      const report = await validate({ [`${page}.yaml`]: text }, ["--format=json"]);
      const expressions = (JSON.parse(report.text) as { code: string }[]).filter(({ code }) =>
        code.includes("_EXPR_"),
      );
      assert.deepEqual(expressions, [], page);
      folder.remove();
    }
    for (const mesh of ["mesh", "compose"]) {
      const none =
        "apiVersion: purser.dev/v1\nkind: EmptySet\nmetadata: { name: none }\nspec: { reason: all is in the other folder }\n";
      const { code, text } = await validate({ "none.yaml": none }, [join(ROOT, "examples/bookshop", mesh)]);
      assert.match(text, / 0 errors, 0 warnings\n$/);
      assert.equal(code, 0);
    }
  });
});
