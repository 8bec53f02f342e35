// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import {
  type CaseResult,
  describeDisagreement,
  describeFigures,
  figuresOf,
  holds,
  runCases,
} from "./suite/run-case.ts";
import {
  byGroup,
  ownCases,
  type ReadyCase,
  SUITE_FOLDER,
  suiteCases,
  suiteGroups,
  suiteIsPresent,
} from "./suite/suite-case.ts";

/** Lowest share of the suite's parsable expressions that must compile, between 0 and 1. It may only rise. */
const COMPILED_SHARE_FLOOR = 0.99;

/** Timeout of a group: the suite's slowest case has a time limit of nine seconds. */
const GROUP_TIMEOUT_MS = 60_000;

describe("the JSONata suite", function () {
  this.timeout(GROUP_TIMEOUT_MS);
  const results: CaseResult[] = [];

  if (!suiteIsPresent()) {
    it(`is skipped: ${SUITE_FOLDER} is absent`, function () {
      this.skip();
    });
    return;
  }
  for (const group of suiteGroups()) {
    it(group, async () => {
      results.push(...(await assertAllHold(suiteCases([group]))));
    });
  }
  it("compiles at least the promised share", () => {
    const figures = figuresOf(results);
    console.log(`      ${describeFigures(figures)}`);
    assert.ok(figures.cases > 0);
    assert.ok(
      figures.compiledShare >= COMPILED_SHARE_FLOOR,
      `${figures.compiledShare} < ${COMPILED_SHARE_FLOOR}`,
    );
  });
});

describe("expressions on which the engines once diverged", function () {
  this.timeout(GROUP_TIMEOUT_MS);
  for (const [group, cases] of byGroup(ownCases(), (ready) => ready.group)) {
    it(group, async () => {
      await assertAllHold(cases);
    });
  }
});

async function assertAllHold(cases: readonly ReadyCase[]): Promise<CaseResult[]> {
  assert.ok(cases.length > 0, "a group without cases");
  const results = await runCases(cases);
  const disagreements = results.filter((result) => !holds(result));
  assert.ok(
    disagreements.length === 0,
    `${disagreements.length} of ${results.length} disagree:\n${disagreements.map(describeDisagreement).join("\n")}`,
  );
  return results;
}
