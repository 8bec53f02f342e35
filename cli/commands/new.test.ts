// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { mock } from "node:test";
import { Command } from "commander";
import { TEMPLATE_NAMES } from "../../core/templates/template-names.ts";
import { readText, ROOT } from "../../test/support/documentation.ts";
import { runProgram } from "../main.ts";
import { newCommand } from "./new.ts";

describe("purser new", () => {
  let folder: string;
  const startFolder = process.cwd();
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "purser-new-"));
    process.chdir(folder);
  });
  afterEach(() => {
    process.chdir(startFolder);
    rmSync(folder, { recursive: true });
  });

  /** Runs the command; standard error is shown as `text` when it fails. */
  async function create(...args: string[]): Promise<{ readonly code: number; readonly text: string }> {
    let text = "";
    const output = { write: (part: string) => ((text += part), true) };
    const errors = mock.method(process.stderr, "write", output.write);
    try {
      const program = new Command("purser").addCommand(newCommand(output as never));
      return { code: await runProgram(program, ["new", ...args]), text };
    } finally {
      errors.mock.restore();
    }
  }

  const read = (path: string): string => readFileSync(join(folder, path), "utf8");

  it("writes an adapter, and says what to do next", async () => {
    const { code, text } = await create("adapter", "my-webhook");
    assert.equal(code, 0, text);
    assert.match(text, /cd my-webhook\n {2}npm install\n {2}npm test\n$/);
    assert.deepEqual(readdirSync("my-webhook").toSorted(), [
      ".gitignore",
      "README.md",
      "documents",
      "package.json",
      "src",
      "tsconfig.json",
    ]);
    assert.match(read("my-webhook/src/index.ts"), /^ {6}async logentry\(instances, call\) \{$/m);
    const own = JSON.parse(readText("package.json")) as { devDependencies: Record<string, string> };
    const written = JSON.parse(read("my-webhook/package.json")) as Record<string, unknown>;
    assert.equal(written["type"], "module");
    assert.deepEqual(written["dependencies"], { purser: `file:${ROOT.replace(/\/$/, "")}` });
    const versions = written["devDependencies"] as Record<string, string>;
    for (const [name, version] of Object.entries(versions)) {
      assert.match(version, /^\d+\.\d+\.\d+$/);
      assert.equal(version, own.devDependencies[name]);
    }
    assert.match(read("my-webhook/README.md"), /not in the npm registry/);
  });

  it("writes a function and a document for each template, in the templates' order", async () => {
    assert.equal(
      (await create("adapter", "all", "--template", ` ${TEMPLATE_NAMES.toReversed().join(" ,")}`)).code,
      0,
    );
    const source = read("all/src/index.ts");
    const functions = [...source.matchAll(/^ {6}async (\w+)\(/gm)].map(([, name]) => name);
    assert.deepEqual(functions, [...TEMPLATE_NAMES]);
    assert.equal(read("all/documents/all.yaml").split("---\n").length, TEMPLATE_NAMES.length + 1);
  });

  it("writes a plugin that adds an attribute, or one that answers Rules", async () => {
    assert.equal((await create("plugin", "tenant")).code, 0);
    assert.match(read("tenant/src/index.ts"), /provides: \{ "plugin\.tenant"/);
    assert.equal((await create("plugin", "my-list", "--template", "listentry,listentry")).code, 0);
    assert.match(read("my-list/src/index.ts"), /templates: \["listentry"\]/);
  });

  it("depends on what --purser names", async () => {
    const spec = 'git+https://git.example.com/"purser"#v1';
    assert.equal((await create("adapter", "remote", "--purser", spec)).code, 0);
    const { dependencies } = JSON.parse(read("remote/package.json")) as { dependencies: object };
    assert.deepEqual(dependencies, { purser: spec });
    assert.ok(read("remote/README.md").includes(spec));
  });

  it("uses an empty folder that is there already", async () => {
    mkdirSync("empty");
    assert.equal((await create("plugin", "empty")).code, 0);
  });

  for (const name of ["3scale", "null", "and", "class", "a", "x".repeat(63), "a--b"]) {
    it(`accepts every DNS label: ${name.slice(0, 10)}`, async () => {
      for (const kind of ["adapter", "plugin"]) {
        assert.equal((await create(kind, name)).code, 0);
        rmSync(name, { recursive: true });
      }
    });
  }

  for (const name of [
    "",
    "My-Adapter",
    "my_adapter",
    "-a",
    "a-",
    "x".repeat(64),
    "../a",
    "a/b",
    "ада",
    "a\n",
  ]) {
    it(`refuses a name that is no DNS label: ${JSON.stringify(name.slice(0, 12))}`, async () => {
      const { code, text } = await create("adapter", "--", name);
      assert.equal(code, 2);
      assert.match(text, /is not a name of an extension: write .* \[PURSER_CLI_USAGE\]\n$/);
      assert.deepEqual(readdirSync(folder), []);
    });
  }

  it("refuses a folder with files, and a file, and changes neither", async () => {
    mkdirSync("full");
    writeFileSync("full/notes.txt", "mine");
    writeFileSync("file", "mine");
    const full = await create("adapter", "full");
    assert.match(full.text, /the folder full is not empty: .*\[PURSER_CLI_USAGE\]/);
    assert.match((await create("adapter", "file")).text, /file is a file: .*\[PURSER_CLI_USAGE\]/);
    assert.equal(full.code, 2);
    assert.deepEqual(readdirSync("full"), ["notes.txt"]);
  });

  it("refuses templates that the kind does not have, and suggests the one meant", async () => {
    const typo = await create("adapter", "a", "--template", "logentry,metrics");
    assert.equal(typo.code, 2);
    assert.match(
      typo.text,
      /"metrics" is not a template of adapters \(did you mean metric\?\).*PURSER_CLI_USAGE/,
    );
    assert.match((await create("plugin", "a", "--template", "metric")).text, /not a template of plugins/);
    assert.match((await create("adapter", "a", "--template", "")).text, /"" is not a template/);
  });

  it("refuses another kind, and a missing name", async () => {
    assert.match((await create("handler", "a")).text, /Allowed choices are adapter, plugin/);
    assert.equal((await create("adapter")).code, 2);
  });
});
