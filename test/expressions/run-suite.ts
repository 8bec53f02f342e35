// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { describeDisagreement, describeFigures, figuresOf, holds, runCases } from "./suite/run-case.ts";
import { byGroup, ownCases, suiteCases, suiteGroups } from "./suite/suite-case.ts";

/**
 * Runs the JSONata suite and our own cases, or the named groups, and prints the disagreements. With --verbose
 * also the counts of each group and the expressions that were not compiled.
 */
const args = process.argv.slice(2);
const verbose = args.includes("--verbose");
const names = args.filter((arg) => !arg.startsWith("--"));
const known = [...suiteGroups(), ...new Set(ownCases().map(({ group }) => group))];
const unknown = names.filter((name) => !known.includes(name));
if (unknown.length > 0) {
  console.error(`no such group: ${unknown.join(", ")}; there are ${known.join(", ")}`);
  process.exit(2);
}
const cases = [...suiteCases(), ...ownCases()].filter(
  ({ group }) => names.length === 0 || names.includes(group),
);
const results = await runCases(cases);
const disagreements = results.filter((result) => !holds(result));
for (const result of disagreements) console.log(`${describeDisagreement(result)}\n`);
if (verbose) {
  for (const { ready, engine } of results)
    if (engine === "interpreted") console.log(`not compiled: ${ready.name}: ${ready.source.trim()}`);
  for (const [group, inGroup] of byGroup(results, ({ ready }) => ready.group))
    console.log(`${group}: ${describeFigures(figuresOf(inGroup))}`);
}
console.log(describeFigures(figuresOf(results)));
process.exitCode = disagreements.length === 0 ? 0 : 1;
