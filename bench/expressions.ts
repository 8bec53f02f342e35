// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { parseArgs } from "node:util";
import { machine } from "../tools/bench/machine.ts";
import { createProgress } from "../tools/progress.ts";
import { measureDecisions } from "./decision/measure.ts";
import { measureExpressions } from "./measure-expressions.ts";
import { tableOf } from "./table.ts";

const { values: flags } = parseArgs({
  options: { json: { type: "boolean", default: false }, seconds: { type: "string", default: "30" } },
});
const seconds = Number(flags.seconds);
if (!(seconds >= 1 && seconds <= 600)) {
  process.stderr.write("--seconds must be from 1 to 600\n");
  process.exit(2);
}

/** Share of the time budget for the expressions; the rest is for the decisions. */
const EXPRESSIONS_SHARE = 0.7;

const progress = createProgress();
try {
  const expressions = await measureExpressions(seconds * 1_000 * EXPRESSIONS_SHARE, progress);
  const { purser: decision, ...peers } = await measureDecisions(
    seconds * 1_000 * (1 - EXPRESSIONS_SHARE),
    progress,
  );
  const report = { expressions, decision, peers, machine: machine() };
  progress.done();
  process.stdout.write(flags.json ? `${JSON.stringify(report)}\n` : tableOf(report));
} catch (error) {
  progress.done();
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
