// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Shell, startShell } from "../support/shell.ts";
import { followSteps } from "./follow-page.ts";
import { faultsOfSteps, resultsOf, stepsOf } from "./page-steps.ts";
import { isShown } from "./shown-output.ts";

// The harness that follows pages must see what is false.

const block = (info: string, ...lines: readonly string[]): string =>
  ["```".concat(info), ...lines, "```", ""].join("\n");

describe("the steps of a page", () => {
  it("are its blocks, by their info strings", () => {
    const page = [
      block('yaml file="mesh/a b.yaml"', "kind: X"),
      block("sh exit=2", "false"),
      block("sh background with=mesh,running", "sleep 9"),
      block('sh norun="needs Docker"', "docker ps"),
      block("console", "$ a \\", "  b", "out"),
      block("text output", "x"),
      block("text", "a drawing"),
    ].join("");
    assert.deepEqual(
      stepsOf(page).map(({ line, text: _text, ...step }) => [line, step]),
      [
        [1, { fixtures: [], kind: "file", path: "mesh/a b.yaml" }],
        [4, { fixtures: [], kind: "commands", exitCode: 2 }],
        [7, { fixtures: ["mesh", "running"], kind: "background" }],
        [10, { fixtures: [], kind: "not run", reason: "needs Docker" }],
        [13, { fixtures: [], kind: "results" }],
        [18, { fixtures: [], kind: "output" }],
      ],
    );
    assert.deepEqual(faultsOfSteps(page), []);
  });

  it("are in lists, too, without their indentation", () => {
    const [step] = stepsOf("1. Run:\n\n   ```sh\n   echo a\n     echo b\n   ```\n");
    assert.equal(step?.text, "echo a\n  echo b\n");
  });

  it("need a decision: a language, words that are known, a reason", () => {
    const page = [
      block("", "x"),
      block("sh backgroud", "x"),
      block('sh norun=" "', "x"),
      block("text exit=1", "x"),
    ];
    assert.deepEqual(faultsOfSteps(page.join("")), [
      "1: a block has no language: write text for plain text",
      "4: a block sh cannot have backgroud",
      "7: norun has no value",
      "10: a block text cannot have exit",
    ]);
  });

  it("have the commands of a console with the results below them", () => {
    assert.deepEqual(resultsOf("$ a \\\n  b\none\n\ntwo\n$ c\n"), [
      { command: "a \\\n  b", shown: "one\n\ntwo" },
      { command: "c", shown: "" },
    ]);
  });
});

describe("an output that is shown", () => {
  const cases: ReadonlyArray<readonly [shown: string, output: string, same: boolean]> = [
    ["3 passed", "3 passed\n", true],
    ["3 passed", "4 passed\n", false],
    ["3 passed", "3 passed\nand 1 failed\n", false],
    ["", "", true],
    ["", "something", false],
    ["a.c (1+)", "abc (1+)", false],
    ["one\n...\nfour", "one\ntwo\nthree\nfour", true],
    ["one\n...\nfour", "one\nfour", true],
    ["one\n…", "one\n", true],
    ["one\n...", "two\none", false],
    ["hash …, end", "hash 12ab, end", true],
    ["hash …, end", "hash 12ab\n, end", false],
    ["HTTP/1.1 200 OK\n\nok", "HTTP/1.1 200 OK\r\n\r\nok\n", true],
    ["p50 0.92 µs", "p50 12.5 µs", true],
    ["p50 0.92 µs", "p50 0.92 bytes", false],
    ["limit 100", "limit 200", false],
    ["at 2026-01-01T00:00:00.012Z", "at 2027-05-04T10:00:00Z", true],
    ["at 2026-01-01T00:00:00.012Z", "at noon", false],
  ];
  for (const [shown, output, same] of cases)
    it(`${JSON.stringify(shown)} is ${same ? "" : "not "}${JSON.stringify(output)}`, () => {
      assert.equal(isShown(shown, output), same);
    });
});

describe("the shell of a page", () => {
  let folder: string;
  let shell: Shell;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "purser-shell-"));
    shell = startShell(folder, join(folder, "logs"));
  });
  afterEach(async () => {
    await shell.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it("sees what is true of a page, and what is false", async () => {
    const desk = { shell, work: folder, refused: () => undefined };
    const follow = (page: string) => followSteps("page.md", stepsOf(page), desk);
    await follow(
      [
        block("text file=a/b", "x"),
        block("sh", "cat a/b; sleep 600 &"),
        block("text output", "x"),
        block("sh exit=1", "false"),
        block("console", "$ cat a/b", "x", "$ true"),
        block("sh background", "touch c"),
        block("console", "$ ls c", "c"),
      ].join(""),
    );
    await assert.rejects(follow(block("sh", "true", "(exit 4)")), /page\.md:1: exit code of/);
    await assert.rejects(follow(block("sh exit=1", "true")), /page\.md:1: exit code of/);
    await assert.rejects(
      follow(block("sh", "echo y") + block("text output", "x")),
      /page\.md:4\n--- the page/,
    );
    await assert.rejects(follow(block("console with=nothing-such", "$ true")), /no test\/docs\/fixtures/);
  });

  it("has the code of the first command that fails, and runs those after it", async () => {
    assert.deepEqual(await shell.run("true\n(exit 3)\nfalse\necho end"), { code: 3, output: "end\n" });
    assert.deepEqual(await shell.run("false || echo handled"), { code: 0, output: "handled\n" });
  });

  it("keeps its folder and its variables, and gives commands no input", async () => {
    await shell.run("mkdir below; cd below; x=1");
    assert.deepEqual(await shell.run('cat; basename "$PWD"; echo $x'), { code: 0, output: "below\n1\n" });
  });

  it("gives the standard error of commands that print nothing else", async () => {
    assert.equal((await shell.run("echo no >&2")).output, "no\n");
    assert.equal((await shell.run("echo no >&2; echo yes")).output, "yes\n");
  });

  it("stops what runs in the background, and its children", async () => {
    await shell.runInBackground("echo $BASHPID > pids\nsleep 600 & echo $! >> pids\nwait");
    await shell.run(
      'while [ "$(wc -l < pids 2>/dev/null)" != 2 ]; do sleep 0.05; done; sleep 601 & echo $! >> pids',
    );
    const pids = (await shell.run("cat pids")).output.trim().split("\n").map(Number);
    assert.equal(pids.length, 3);
    await shell.stop();
    // A zombie, which nobody has waited for, has no command line.
    for (const pid of pids)
      assert.ok(
        !existsSync(`/proc/${pid}`) || readFileSync(`/proc/${pid}/cmdline`, "utf8") === "",
        String(pid),
      );
  });
});
