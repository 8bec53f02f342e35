// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { accessPolicy, snapshotOf } from "../../test/support/snapshots.ts";
import type { AttributeBag } from "../attributes/bag.ts";
import { planChecks } from "../check/plan.ts";
import { compileWithJsonata, createTracer } from "../expressions/jsonata-engine.ts";
import { Coverage, coveragePercent, type ExpressionCoverage } from "./coverage.ts";
import { explainDecision } from "./explain-decision.ts";

/** Coverage of a policy's `when` after these bags. */
async function cover(source: string, bags: readonly AttributeBag[]): Promise<ExpressionCoverage> {
  const compiled = compileWithJsonata(source);
  assert.ok(compiled.ok);
  const plan = planChecks(snapshotOf({ accessPolicies: [accessPolicy("p", { when: compiled.expression })] }));
  const coverage = new Coverage();
  const tracer = createTracer();
  const context = { nowMs: 0, dispatch: { attributeSources: [], ask: () => undefined } };
  for (const bag of bags) {
    await explainDecision(plan, bag, context, {
      tracer,
      onTrace: (ref, field, trace) => coverage.add(ref, field, trace),
    });
  }
  const [found, ...more] = coverage.report(plan, tracer);
  assert.ok(found !== undefined && more.length === 0);
  return found;
}

const gapsOf = ({ gaps, source }: ExpressionCoverage) =>
  gaps.map(({ start, end, what }) => [source.slice(start, end), what]);

const yes = { a: { x: true, y: true } };
const no = { a: { x: false, y: false } };

describe("coverage", () => {
  it("includes an expression that was never evaluated", async () => {
    const found = await cover("a.x and a.y", []);
    assert.deepEqual(gapsOf(found), [["a.x and a.y", "never reached"]]);
    assert.deepEqual([found.parts, found.partsReached, found.branches, found.branchesTaken], [3, 0, 2, 0]);
    assert.equal(coveragePercent([found]), 0);
  });

  it("needs both branches of and, or, ?, ?: and ??", async () => {
    const cases: readonly (readonly [string, AttributeBag, readonly (readonly string[])[]])[] = [
      ["a.x and a.y", no, [["a.y", "never reached"]]],
      ["a.x and a.y", yes, [["a.x", "never false"]]],
      ["a.x or a.y", yes, [["a.y", "never reached"]]],
      ["a.x or a.y", no, [["a.x", "never true"]]],
      ["a.x ? a.y : a.z", yes, [["a.z", "never reached"]]],
      ["a.x ? a.y", yes, [["a.x", "never false"]]],
      ["a.x ?: a.y", no, [["a.x", "never true"]]],
      ["a.x ?? a.y", no, [["a.y", "never reached"]]],
      ["a.z ?? a.y", no, [["a.z", "never has a value"]]],
    ];
    for (const [source, bag, expected] of cases) {
      assert.deepEqual(gapsOf(await cover(source, [bag])), expected, source);
    }
    for (const source of ["a.x and a.y", "a.x or a.y", "a.x ? a.y : a.z", "a.x ? a.y", "a.x ?: a.y"]) {
      const whole = await cover(source, [yes, no]);
      assert.deepEqual(gapsOf(whole), [], source);
      assert.equal(coveragePercent([whole]), 100);
    }
  });

  it("does not count a failing operand as decisive", async () => {
    const found = await cover('(a.x > "1") and a.y', [yes]);
    assert.deepEqual(gapsOf(found), [
      ['(a.x > "1")', "never false"],
      ["a.y", "never reached"],
    ]);
  });

  it("is 100 % when there is nothing to cover", () => assert.equal(coveragePercent([]), 100));
});
