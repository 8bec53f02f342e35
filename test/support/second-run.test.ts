// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const SECOND_RUN = new URL("second-run.mjs", import.meta.url).href;
const REPORTER = new URL("reporter.cjs", import.meta.url).pathname;

/** Tests that pass from the run on that is named: each run leaves a mark beside them. */
const passesFrom = (run: number): string => `
const { existsSync, writeFileSync } = require("node:fs");
it("a race that is won in run ${run}", () => {
  const runs = [1, 2, 3].filter((run) => existsSync(__filename + run)).length + 1;
  writeFileSync(__filename + runs, "");
  if (runs < ${run}) throw new Error("lost");
});
it("another test", () => {});
`;

describe("the second run of files with failed tests", function () {
  this.timeout(60_000);
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "purser-second-run-"));
  });
  afterEach(() => rm(folder, { recursive: true }));

  /** The result of a run of tests with these texts. */
  async function resultOf(...texts: readonly string[]): Promise<unknown> {
    const files = texts.map((_, index) => join(folder, `${index}.cjs`));
    await Promise.all(files.map((file, index) => writeFile(file, texts[index] as string)));
    const options = JSON.stringify(["--no-config", `--reporter=${REPORTER}`]);
    const script = `
      import { runTests } from ${JSON.stringify(SECOND_RUN)};
      const options = ${options};
      const result = runTests("npx", ["mocha", ...options, ...${JSON.stringify(files)}], options);
      process.stdout.write("\\n" + JSON.stringify(result));`;
    const { stdout } = await promisify(execFile)("node", ["--input-type=module", "-e", script]);
    const result = JSON.parse(stdout.slice(stdout.lastIndexOf("\n"))) as { readonly unsteady: string[] };
    return { ...result, unsteady: result.unsteady.map((line) => line.slice(line.lastIndexOf("/") + 1)) };
  }

  it("is not made when everything passed", async () => {
    const result = await resultOf(passesFrom(1));
    assert.deepEqual(result, { status: 0, passed: 2, failed: 0, skipped: 0, unsteady: [] });
  });

  it("tells what passed only then", async () => {
    const result = await resultOf(passesFrom(2), passesFrom(1));
    const unsteady = ["0.cjs: a race that is won in run 2"];
    assert.deepEqual(result, { status: 0, passed: 4, failed: 0, skipped: 0, unsteady });
  });

  it("fails what fails twice", async () => {
    const result = await resultOf(passesFrom(3), passesFrom(1));
    assert.deepEqual(result, { status: 1, passed: 3, failed: 1, skipped: 0, unsteady: [] });
  });

  it("is not made when many files failed", async () => {
    const result = await resultOf(...Array.from({ length: 9 }, () => passesFrom(2)));
    assert.deepEqual(result, { status: 9, passed: 9, failed: 9, skipped: 0, unsteady: [] });
  });

  it("is not made when no file can be told", async () => {
    const result = await resultOf("process.exit(7)");
    assert.deepEqual(result, { status: 7, passed: 0, failed: 1, skipped: 0, unsteady: [] });
  });
});
