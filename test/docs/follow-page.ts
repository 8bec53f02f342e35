// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { ROOT } from "../support/documentation.ts";
import { eventually } from "../support/eventually.ts";
import { type Shell, type ShellRun, startShell } from "../support/shell.ts";
import { type PageStep, resultsOf } from "./page-steps.ts";
import { isShown } from "./shown-output.ts";

/** Time in which a result of a page must show: a change of mutual TLS takes some three seconds. */
const RESULT = { deadlineMs: 15_000, everyMs: 250 };

const FIXTURES = fileURLToPath(new URL("fixtures/", import.meta.url));

/** The shell and folders of a reader who follows pages. */
export interface Desk {
  readonly shell: Shell;
  /** Folder of the files that pages name, in which the shell began. */
  readonly work: string;
  /** Is given each run of commands with an unexpected exit code, and may skip the running test. */
  readonly refused: (run: ShellRun) => void;
}

/**
 * Follows the steps of a page in a fresh folder, with the built package's `purser` as a command, and stops whatever they started.
 * @param refused See `Desk`.
 * @throws {assert.AssertionError} for a step that does not do as the page shows, with its place.
 */
export async function followPage(
  page: string,
  steps: readonly PageStep[],
  refused: Desk["refused"],
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "purser-page-"));
  const work = join(folder, "work");
  mkdirSync(work);
  const path = `${binFolder(folder)}${delimiter}${process.env["PATH"] ?? ""}`;
  const shell = startShell(work, join(folder, "logs"), { ...process.env, PATH: path });
  try {
    await followSteps(page, steps, { shell, work, refused });
  } finally {
    await shell.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Follows steps of a page at a desk. */
export async function followSteps(page: string, steps: readonly PageStep[], desk: Desk): Promise<void> {
  const { shell, work, refused } = desk;
  let output = "";
  for (const step of steps) {
    const at = `${page}:${step.line}`;
    for (const fixture of step.fixtures) await setUp(fixture, work, shell, at);
    if (step.kind === "file") {
      const path = join(work, step.path);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, step.text);
    } else if (step.kind === "background") await shell.runInBackground(step.text);
    else if (step.kind === "results") await showResults(step.text, shell, at);
    else if (step.kind === "output") assert.ok(isShown(step.text, output), differs(at, step.text, output));
    else if (step.kind === "commands") {
      const run = await shell.run(step.text);
      if (run.code !== step.exitCode) refused(run);
      const failure = `${at}: exit code of\n${step.text}\n${run.output}\n${shell.recent()}`;
      assert.equal(run.code, step.exitCode, failure);
      output = run.output;
    }
  }
}

async function setUp(fixture: string, work: string, shell: Shell, at: string): Promise<void> {
  const from = join(FIXTURES, fixture);
  assert.ok(existsSync(from), `${at}: there is no test/docs/fixtures/${fixture}`);
  cpSync(from, work, { recursive: true });
  if (!existsSync(join(from, "setup.sh"))) return;
  const { code, output } = await shell.run(". ./setup.sh");
  assert.equal(code, 0, `${at}: setup.sh of ${fixture}:\n${output}\n${shell.recent()}`);
}

async function showResults(text: string, shell: Shell, at: string): Promise<void> {
  for (const { command, shown } of resultsOf(text))
    await eventually(async () => {
      const { code, output } = await shell.run(command);
      if (shown === "") assert.equal(code, 0, `${at}: exit code of ${command}`);
      assert.ok(isShown(shown, output), differs(`${at}: ${command}`, shown, `${output}\n${shell.recent()}`));
    }, RESULT);
}

const differs = (at: string, shown: string, output: string): string =>
  `${at}\n--- the page shows:\n${shown}\n--- the commands gave:\n${output}`;

/** A folder whose only program is `purser`, as after `npm install -g`. */
function binFolder(folder: string): string {
  const program = join(ROOT, "lib/cli/purser.js");
  assert.ok(existsSync(program), "lib/cli/purser.js is not there: run npm run build");
  chmodSync(program, 0o755);
  mkdirSync(join(folder, "bin"));
  symlinkSync(program, join(folder, "bin/purser"));
  return join(folder, "bin");
}
