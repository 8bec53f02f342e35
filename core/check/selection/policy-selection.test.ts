// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import fc from "fast-check";
import { accessPolicy, quotaPolicy, snapshotOf } from "../../../test/support/snapshots.ts";
import type { AttributeBag } from "../../attributes/bag.ts";
import type { Expression } from "../../expressions/expression.ts";
import { compileWithJsonata } from "../../expressions/jsonata-engine.ts";
import { decide } from "../decide.ts";
import type { Decision } from "../decision.ts";
import { type CheckPlan, planChecks } from "../plan.ts";

const expressions = new Map<string, Expression>();

/** Documents with the same source share one expression, as in a snapshot. */
function compiled(source: string): Expression {
  let expression = expressions.get(source);
  if (expression === undefined) {
    const result = compileWithJsonata(source);
    assert.ok(result.ok, source);
    ({ expression } = result);
    expressions.set(source, expression);
  }
  return expression;
}

const CONTEXT = { nowMs: 0, dispatch: { attributeSources: [], ask: () => undefined } };

function decisionOf(plan: CheckPlan, bag: AttributeBag): Decision {
  return decide(plan, bag, CONTEXT) as Decision;
}

/** Evaluates every document, without indexes. */
function exhaustive({ deny, rules, allow, audit, quotas }: CheckPlan): CheckPlan {
  return { deny, rules, allow, audit, quotas };
}

const condition = fc.constantFrom(
  'service = "a"',
  'service = "b"',
  '"c" = service',
  'service in ["a", "b"]',
  'service = "a" or service = "c"',
  'method = "GET" and service = "b"',
  '$startsWith(path, "/api/")',
  "$contains(path, /^\\/api\\/v1/)",
  '$substring(path, 0, 5) = "/api/"',
  '(service = "a") and $contains(path, "v1")',
  "size > 10",
  "size = 3",
  "flag = true",
  "$exists(user)",
  'user != "ann"',
  'path = "/" and size + "x"',
  "true",
  'size & "" = "3"',
);

const policies = fc.array(
  fc.record({
    action: fc.constantFrom("DENY" as const, "ALLOW" as const, "AUDIT" as const),
    match: fc.option(condition, { nil: undefined, freq: 3 }),
    when: fc.option(condition, { nil: undefined, freq: 5 }),
    mode: fc.constantFrom("enforce" as const, "enforce" as const, "shadow" as const),
    onError: fc.constantFrom("deny" as const, "allow" as const),
  }),
  { maxLength: 60 },
);

const bag = fc.record(
  {
    service: fc.constantFrom("a", "b", "c", "d", ["a"], 3),
    method: fc.constantFrom("GET", "POST"),
    path: fc.constantFrom("/", "/api/v1/x", "/api/", "/ap", 5, ["/api/"]),
    size: fc.constantFrom(3, 11, "3"),
    flag: fc.constantFrom(true, false, "true"),
    user: fc.constantFrom("ann", "bob", { name: "ann" }),
  },
  { requiredKeys: [] },
);

describe("a selection of policies", () => {
  it("decides as the evaluation of every policy does", () => {
    fc.assert(
      fc.property(policies, bag, (written, given) => {
        const accessPolicies = written.map(({ match, when, ...rest }, index) =>
          accessPolicy(`p${index}`, {
            ...rest,
            match: match === undefined ? undefined : compiled(match),
            when: when === undefined ? undefined : compiled(when),
          }),
        );
        const quotaPolicies = written
          .slice(0, 5)
          .map(({ match }, index) =>
            quotaPolicy(`q${index}`, match === undefined ? {} : { match: compiled(match) }),
          );
        const plan = planChecks(snapshotOf({ accessPolicies, quotaPolicies }));
        const { referenced, validDurationMs, validUseCount, ...chosen } = decisionOf(
          plan,
          given as AttributeBag,
        );
        const asked = decisionOf(exhaustive(plan), given as AttributeBag);
        const { referenced: all, validDurationMs: duration, validUseCount: count, ...expected } = asked;
        assert.deepEqual(chosen, expected);
        assert.ok(validDurationMs <= duration && validUseCount <= count);
        // A decision references only attributes that some document reads.
        const known = new Set(all.map(({ path }) => path[0]));
        for (const { path } of referenced)
          assert.ok(known.has(path[0]) || expected.status.code !== "OK", path.join("."));
      }),
      { numRuns: 1_000 },
    );
  });

  it("reads no path that is a key only of later policies", () => {
    const accessPolicies = [
      accessPolicy("first", { action: "DENY", match: compiled('service = "a"') }),
      accessPolicy("second", { action: "DENY", match: compiled('method = "GET"') }),
    ];
    const plan = planChecks(snapshotOf({ accessPolicies }));
    const refused = decisionOf(plan, { service: "a", method: "GET" });
    assert.deepEqual(refused.decidedBy?.name, "first");
    assert.deepEqual(refused.referenced, [{ path: ["service"], condition: "EXACT" }]);
    const allowed = decisionOf(plan, { service: "b" });
    assert.deepEqual(allowed.referenced, [
      { path: ["service"], condition: "EXACT" },
      { path: ["method"], condition: "ABSENCE" },
    ]);
  });

  it("evaluates as few of ten thousand policies as of ten", () => {
    let asked = 0;
    const counted = (source: string): Expression => {
      const expression = compiled(source);
      return {
        ...expression,
        evaluate: (...given) => {
          asked++;
          return expression.evaluate(...given);
        },
      };
    };
    const count = (policyCount: number): number => {
      const accessPolicies = Array.from({ length: policyCount }, (_, index) =>
        accessPolicy(`p${index}`, {
          action: "DENY",
          match: counted(`service = "s${index % (policyCount / 5)}"`),
          when: counted(`path = "/p${index}"`),
        }),
      );
      const plan = planChecks(snapshotOf({ accessPolicies }));
      asked = 0;
      decisionOf(plan, { service: "s1", path: "/none" });
      return asked;
    };
    assert.equal(count(10_000), count(10));
  });
});
