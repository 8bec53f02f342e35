// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import fc from "fast-check";
import type { AttributeBag } from "../../core/attributes/bag.ts";
import { requestGroup } from "../../core/attributes/request-group.ts";
import { decide } from "../../core/check/decide.ts";
import type { Decision } from "../../core/check/decision.ts";
import { type CheckPlan, planChecks } from "../../core/check/plan.ts";
import type { Expression } from "../../core/expressions/expression.ts";
import { createJsonataCompiler } from "../../core/expressions/jsonata-engine.ts";
import { isPromise } from "../../kernel/maybe-promise.ts";
import { DecisionCache } from "../../proxy/policy/decisions/decision-cache.ts";
import { accessPolicy, quotaPolicy, snapshotOf } from "../support/snapshots.ts";

/**
 * Random sets of policies, each with up to 190 pairs of requests. FUZZ_RUNS=10000 runs over a million pairs.
 */
const RUNS = Number(process.env["FUZZ_RUNS"] ?? 200);

const compile = createJsonataCompiler();
const known = new Map<string, Expression>();

function compiled(source: string): Expression {
  const found = known.get(source);
  if (found !== undefined) return found;
  const result = compile(source);
  assert.ok(result.ok, source);
  known.set(source, result.expression);
  return result.expression;
}

const attribute = fc.constantFrom(
  "request.method",
  "request.url_path",
  "request.host",
  "request.port",
  "request.useragent",
  "source.ip",
  'request.headers."x-role"',
  'request.headers."x-user"',
  'request.headers."user-agent"',
  "request.query_params.role",
  "request.query_params.a",
  "request.size",
);
const constant = fc.constantFrom(
  '"admin"',
  '"user"',
  '"GET"',
  '"/a"',
  '"a, b"',
  '"admin, user"',
  '""',
  "80",
  "true",
);
const leaf = fc.oneof(
  fc.tuple(attribute, fc.constantFrom("=", "!=", "in"), constant).map((parts) => parts.join(" ")),
  fc.tuple(attribute, attribute).map(([a, b]) => `${a} = ${b}`),
  attribute.map((a) => `$exists(${a})`),
  fc.tuple(attribute, constant).map(([a, b]) => `$contains($string(${a}), $string(${b}))`),
  fc
    .tuple(attribute, fc.constantFrom("admin", "user"))
    .map(([a, b]) => `"${b}" in $split($string(${a}), ", ")`),
  fc.constantFrom(
    "$count($keys(request.headers)) > 2",
    '$exists(request.repeated_headers."x-role")',
    '"admin" in request.repeated_headers."x-role"',
    "$count(request.repeated_query_params.role) = 2",
    "$exists(request.headers) and $exists(request.query_params)",
    '$contains($join($each(request.headers, function($v) { $v }), "|"), "admin")',
    "request.size > 1",
    'request.headers."x-role" > "b"',
    '$lookup(request.headers, request.headers."x-user") = "admin"',
    'request.*.role = "admin"',
  ),
);
const { condition } = fc.letrec<{ condition: string }>((tie) => ({
  condition: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    leaf,
    fc
      .tuple(tie("condition"), fc.constantFrom("and", "or"), tie("condition"))
      .map(([a, how, b]) => `(${a} ${how} ${b})`),
    tie("condition").map((a) => `$not(${a})`),
    fc.tuple(tie("condition"), tie("condition"), tie("condition")).map(([a, b, c]) => `(${a} ? ${b} : ${c})`),
  ),
}));

const policies = fc.array(
  fc.record({
    action: fc.constantFrom("DENY", "ALLOW", "AUDIT"),
    match: fc.option(condition, { nil: undefined }),
    when: condition,
    mode: fc.constantFrom("enforce", "enforce", "shadow"),
    onError: fc.constantFrom("deny", "allow"),
    header: fc.option(attribute, { nil: undefined }),
  }),
  { minLength: 1, maxLength: 4 },
);
const quotas = fc.array(fc.record({ match: fc.option(condition, { nil: undefined }), key: attribute }), {
  maxLength: 2,
});

type Drawn = {
  readonly [P in keyof typeof drawn]: (typeof drawn)[P] extends fc.Arbitrary<infer T> ? T : never;
};
const drawn = { policies, quotas };

function planOf({ policies: access, quotas: limits }: Drawn): CheckPlan {
  return planChecks(
    snapshotOf({
      accessPolicies: access.map(({ action, match, when, mode, onError, header }, index) =>
        accessPolicy(`p${index}`, {
          action: action as "DENY",
          when: compiled(when),
          mode: mode as "enforce",
          onError: onError as "deny",
          ...(match === undefined ? {} : { match: compiled(match) }),
          ...(header === undefined
            ? {}
            : {
                headers: {
                  request: { set: [["x-seen", compiled(header)]], append: [], remove: [] },
                  response: { set: [], append: [], remove: [] },
                },
              }),
        }),
      ),
      quotaPolicies: limits.map(({ match, key }, index) =>
        quotaPolicy(`q${index}`, {
          key: [["key", { kind: "expression", expression: compiled(key) }]],
          ...(match === undefined ? {} : { match: compiled(match) }),
        }),
      ),
    }),
  );
}

const field = fc.tuple(
  fc.constantFrom("x-role", "x-user", "user-agent", "via"),
  fc.constantFrom("admin", "user", "a", "b", "a, b", "admin, user", "x-role", ""),
);
const bag: fc.Arbitrary<AttributeBag> = fc
  .record({
    method: fc.constantFrom("GET", "POST"),
    path: fc.constantFrom("/a", "/b"),
    query: fc.constantFrom(
      "",
      "?role=admin",
      "?role=user&role=admin",
      "?role=user&a=1&role=user",
      "?a=admin",
    ),
    port: fc.constantFrom(undefined, 80),
    headers: fc.array(field, { maxLength: 4 }),
    ip: fc.constantFrom("10.0.0.1", "10.0.0.2"),
  })
  .map(({ ip, port, headers, ...rest }) => ({
    source: { ip },
    request: requestGroup({
      ...rest,
      scheme: "http",
      authority: { host: "a", port },
      headers: headers.flat(),
    }),
  }));

function decideNow(plan: CheckPlan, attributes: AttributeBag): Decision {
  const dispatch = { attributeSources: [], ask: () => undefined };
  const decision = decide(plan, attributes, { nowMs: 0, dispatch });
  assert.ok(!isPromise(decision));
  return decision;
}

/** The part of a decision that a client can observe. */
function effect(decision: Decision): Partial<Decision> {
  const { status, reason, decidedBy, requestHeaders, responseHeaders, shadowDenials, audits, charges } =
    decision;
  return {
    status,
    requestHeaders,
    responseHeaders,
    shadowDenials,
    audits,
    charges,
    ...(reason === undefined ? {} : { reason }),
    ...(decidedBy === undefined ? {} : { decidedBy }),
  };
}

const FUZZ_TIMEOUT_MS = 3_600_000;

describe("a cached decision", function () {
  // The number of runs bounds the test, so a busy machine may take longer.
  this.timeout(FUZZ_TIMEOUT_MS);

  it("equals the decision made anew for every request that finds it", () => {
    let found = 0;
    fc.assert(
      fc.property(
        fc.record(drawn),
        fc.array(bag, { minLength: 2, maxLength: 20, size: "max" }),
        (documents, bags) => {
          const plan = planOf(documents);
          const cache = new DecisionCache<Decision>({
            maxDecisions: 100,
            maxCharacters: 1e6,
            maxShapes: 100,
          });
          for (const attributes of bags) {
            const cached = cache.find(attributes, 1);
            const fresh = decideNow(plan, attributes);
            if (cached !== undefined) {
              found++;
              assert.deepEqual(effect(cached), effect(fresh));
            }
            cache.store(attributes, fresh, 0, fresh);
          }
        },
      ),
      { numRuns: RUNS },
    );
    assert.ok(found > RUNS / 10, `only ${found} decisions were found in the cache`);
  });
});
