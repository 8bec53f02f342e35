// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import fc from "fast-check";
import { ENFORCEMENT_MODES } from "../../kernel/enforcement-mode.ts";
import { accessPolicy, quotaPolicy, rule, snapshotOf } from "../../test/support/snapshots.ts";
import type { AttributeBag } from "../attributes/bag.ts";
import { decide } from "../check/decide.ts";
import { planChecks } from "../check/plan.ts";
import type { CheckContext } from "../check/ports.ts";
import type { Expression } from "../expressions/expression.ts";
import { compileWithJsonata, createTracer } from "../expressions/jsonata-engine.ts";
import { STATUS_CODES } from "../../kernel/status.ts";
import type { Snapshot } from "../snapshot/snapshot.ts";
import { type ExplainOptions, explainDecision } from "./explain-decision.ts";
import { DEFAULT_EXPLANATION_LIMITS, type Explanation } from "./explanation.ts";
import { DEFAULT_REDACTED_PATHS } from "./redaction.ts";
import type { TraceNode } from "./trace-node.ts";

const BAG: AttributeBag = {
  request: {
    method: "GET",
    path: "/reviews",
    headers: { "x-user": "ann", authorization: "Bearer s3cr3t-token" },
    auth: { raw_claims: { sub: "ann@example", role: "chief" } },
    size: 12,
  },
};

const context: CheckContext = {
  nowMs: 1_700_000_000_000,
  dispatch: { attributeSources: [], ask: () => undefined },
};

const known = new Map<string, Expression>();

function compiled(source: string): Expression {
  const found = known.get(source) ?? compile(source);
  known.set(source, found);
  return found;
}

function compile(source: string): Expression {
  const result = compileWithJsonata(source);
  assert.ok(result.ok, source);
  return result.expression;
}

function explain(documents: Partial<Snapshot>, options: Partial<ExplainOptions> = {}, bag = BAG) {
  const plan = planChecks(snapshotOf(documents));
  return explainDecision(plan, bag, context, { tracer: createTracer(), ...options });
}

function documentIn({ documents }: Explanation, name: string) {
  const found = documents.find((document) => document.name === name);
  assert.ok(found, name);
  return found;
}

function decidingTexts(node: TraceNode): readonly string[] {
  return [...(node.decides ? [node.text] : []), ...node.children.flatMap(decidingTexts)];
}

describe("an explanation", () => {
  it("shows no credential of a request that repeats it", async () => {
    const values = { cookie: ["a=secret1", "b=secret2"], token: ["secret3", "secret4"] };
    const bag: AttributeBag = {
      request: {
        headers: { cookie: values.cookie.join("; ") },
        repeated_headers: { cookie: values.cookie },
        query_params: { token: "secret3" },
        repeated_query_params: { token: values.token },
      },
    };
    const when = compiled("$exists(request.repeated_headers) and $exists(request.repeated_query_params)");
    const message = compiled("$string(request.repeated_headers) & $string(request.repeated_query_params)");
    const policy = accessPolicy("p", { when, status: { code: "PERMISSION_DENIED", message } });
    const paths = [...DEFAULT_REDACTED_PATHS, ["request", "query_params", "token"]];
    const { explanation } = await explain({ accessPolicies: [policy] }, { redact: paths }, bag);
    assert.equal(explanation.decision.status.code, "PERMISSION_DENIED");
    assert.doesNotMatch(JSON.stringify(explanation), /secret/);
  });

  it("shows no redacted attribute within an array", async () => {
    const claims = {
      emails: [{ value: "secret1", primary: true }, [{ value: "secret2" }]],
      groups: ["staff"],
    };
    const bag: AttributeBag = { request: { auth: { claims } } };
    const policy = accessPolicy("p", {
      when: compiled("request.auth.claims.emails.primary"),
      status: {
        code: "PERMISSION_DENIED",
        message: compiled('$string(request.auth.claims) & " of " & request.auth.claims.groups'),
      },
    });
    const redact = [["request", "auth", "claims", "emails", "value"]];
    const { explanation } = await explain({ accessPolicies: [policy] }, { redact }, bag);
    assert.equal(explanation.decision.status.code, "PERMISSION_DENIED");
    assert.doesNotMatch(JSON.stringify(explanation), /secret/);
  });

  it("has each document's outcome, and marks the deciding document and clause", async () => {
    const { explanation } = await explain({
      accessPolicies: [
        accessPolicy("writers", { match: compiled('request.method = "POST"'), when: compiled("true") }),
        accessPolicy("guests", { when: compiled('request.headers."x-user" = "guest"') }),
        accessPolicy("large", { when: compiled('request.method = "GET" and request.size > 10') }),
        accessPolicy("late", { when: compiled("true") }),
      ],
    });
    assert.deepEqual(
      explanation.documents.map(({ name, outcome, decides }) => [name, outcome, decides]),
      [
        ["writers", "unmatched", undefined],
        ["guests", "passed", undefined],
        ["large", "refused", true],
        ["late", "not-asked", undefined],
      ],
    );
    const [when] = documentIn(explanation, "large").expressions;
    assert.equal(when?.field, "when");
    assert.equal(when?.value, "true");
    assert.deepEqual(decidingTexts(when?.trace as TraceNode), [
      'request.method = "GET"',
      "request.size > 10",
    ]);
    assert.equal(explanation.decision.decidedBy?.name, "large");
    assert.equal(explanation.decision.httpStatus, 403);
  });

  it("names the first matching ALLOW policy as the deciding document", async () => {
    const { explanation } = await explain({
      accessPolicies: [
        accessPolicy("no", { action: "ALLOW", when: compiled("false") }),
        accessPolicy("yes", { action: "ALLOW", when: compiled("request.size < 20") }),
      ],
    });
    assert.equal(documentIn(explanation, "no").outcome, "withheld");
    assert.equal(documentIn(explanation, "yes").decides, true);
  });

  it("explains faults, quotas and rules", async () => {
    const { explanation } = await explain(
      {
        accessPolicies: [accessPolicy("broken", { when: compiled('request.size > "x"'), onError: "allow" })],
        quotaPolicies: [
          quotaPolicy("per-user", {
            key: [["user", { kind: "expression", expression: compiled('request.headers."x-user"') }]],
            overrides: [{ when: compiled("request.size > 10"), limit: 3 }],
          }),
        ],
        rules: [rule("listed", "checker", { match: compiled("request.size > 0") })],
      },
      { whyUnanswered: () => "none is running" },
    );
    const broken = documentIn(explanation, "broken");
    assert.equal(broken.outcome, "fault");
    assert.match(broken.faults[0]?.detail ?? "", /T2009/);
    assert.equal(broken.expressions[0]?.trace.failed, true);
    const quota = documentIn(explanation, "per-user");
    assert.deepEqual(
      quota.expressions.map(({ field, value }) => [field, value]),
      [
        ["key.user", '"ann"'],
        ["overrides[0].when", "true"],
      ],
    );
    assert.equal(explanation.decision.charges[0]?.limit, 3);
    assert.deepEqual(documentIn(explanation, "listed").unasked, ["checker"]);
    assert.deepEqual(explanation.unaskedHandlers, [{ handler: "checker", reason: "none is running" }]);
  });

  it("shows the steps that a request takes beyond a limit, with those of the policies that it draws on", async () => {
    const key = (source: string) => [["user", { kind: "expression", expression: compiled(source) }]] as const;
    const policy = quotaPolicy("per-user", {
      key: key("request.headers.`x-user`"),
      beyond: [
        { kind: "queue", atMostMs: 500, length: 9 },
        { kind: "draw", policy: "credit" },
      ],
    });
    const headers = [{ name: "x-tier", value: "economy" }];
    const credit = quotaPolicy("credit", {
      match: compiled("false"),
      key: key("request.headers.authorization"),
      limit: 7,
      beyond: [{ kind: "degrade", headers }],
    });
    const { explanation } = await explain({ quotaPolicies: [policy, credit] });
    const [charge, ...others] = explanation.decision.charges;
    assert.deepEqual(others, []);
    assert.deepEqual(charge?.beyond, [
      { kind: "queue", atMostMs: 500, length: 9 },
      {
        kind: "draw",
        charge: {
          policy: "credit",
          cell: 'credit{"user":"[redacted]"}',
          limit: 7,
          windowMs: 60_000,
          amount: 1,
          mode: "enforce",
        },
      },
      { kind: "degrade", headers },
    ]);
  });

  it("keeps secrets out of everything", async () => {
    const { explanation, decision } = await explain({
      accessPolicies: [
        accessPolicy("a", { when: compiled('request.headers.authorization = "nobody"') }),
        accessPolicy("b", {
          action: "ALLOW",
          when: compiled('$lookup(request.auth.raw_claims, "role") = "chief"'),
          headers: {
            request: {
              set: [["x-claims", compiled("$string(request.auth.raw_claims.sub)")]],
              append: [],
              remove: [],
            },
            response: { set: [], append: [], remove: [] },
          },
        }),
        accessPolicy("c", { action: "AUDIT", when: compiled("request.headers.authorization > 5") }),
      ],
    });
    const text = JSON.stringify(explanation);
    assert.ok(!text.includes("s3cr3t"), text);
    assert.ok(!text.includes("ann@example"), text);
    assert.equal(decision.requestHeaders[0]?.value, "ann@example");
  });

  it("stays within its limits for any number of documents", async () => {
    const policies = Array.from({ length: 50 }, (_, index) =>
      accessPolicy(`p${index}`, { when: compiled(index === 40 ? "true" : "false") }),
    );
    const limits = { ...DEFAULT_EXPLANATION_LIMITS, documents: 10 };
    const { explanation } = await explain({ accessPolicies: policies }, { limits });
    assert.equal(explanation.documents.length, 10);
    assert.equal(explanation.omittedDocuments, 40);
    assert.ok(documentIn(explanation, "p40").decides);
  });

  it("keeps the deciding document's parts when not all fit the limit", async () => {
    const long = `request.size = 1 or request.path = "${"x".repeat(9_000)}"`;
    const policies = [
      ...Array.from({ length: 20 }, (_, index) => accessPolicy(`p${index}`, { when: compiled(long) })),
      accessPolicy("last", { when: compiled('request.size > 1 and request.method = "GET"') }),
    ];
    const limits = { ...DEFAULT_EXPLANATION_LIMITS, allNodes: 20 };
    const { explanation } = await explain({ accessPolicies: policies }, { limits });
    assert.equal(documentIn(explanation, "last").expressions[0]?.trace.children.length, 2);
    assert.equal(documentIn(explanation, "p0").expressions[0]?.trace.children.length, 2);
    assert.equal(documentIn(explanation, "p19").expressions[0]?.trace.children.length, 0);
    assert.ok(JSON.stringify(explanation).length < 20 * 6_000);
  });

  it("explains the decision that decide makes, for any policies", async () => {
    const source = fc.constantFrom(
      "true",
      "false",
      "request.id",
      'request.method = "GET" and request.size > 20',
      'request.headers."x-user" in ["ann", "bob"]',
      'request.size > "x"',
      "request.size",
      "request.id ?? true",
      "$exists(request.headers)",
      "$now() > request.path",
    );
    const tracer = createTracer();
    const maybe = fc.option(source.map(compiled), { nil: undefined });
    const shared = {
      match: maybe,
      mode: fc.constantFrom(...ENFORCEMENT_MODES),
      onError: fc.constantFrom("deny", "allow") as fc.Arbitrary<"deny" | "allow">,
    };
    const templates = source.map((text) => ({
      set: [["x-set", compiled(text)] as const],
      append: [],
      remove: ["x-gone"],
    }));
    const access = fc.record({
      ...shared,
      when: maybe,
      action: fc.constantFrom("DENY", "ALLOW", "AUDIT") as fc.Arbitrary<"DENY" | "ALLOW" | "AUDIT">,
      status: fc.record({
        code: fc.constantFrom(...STATUS_CODES.filter((code) => code !== "OK")),
        message: maybe,
      }),
      headers: fc.record({ request: templates, response: templates }),
      validDurationMs: fc.constantFrom(0, 500, 20_000),
    });
    const quota = fc.record({
      ...shared,
      key: source.map((text) => [
        ["k", { kind: "expression", expression: compiled(text) } as const] as const,
      ]),
      charge: source.map((text) => ({ kind: "expression", expression: compiled(text) }) as const),
      overrides: fc.array(fc.record({ when: source.map(compiled), limit: fc.nat(9) }), { maxLength: 2 }),
      message: maybe,
    });
    const documents = fc.tuple(fc.array(access, { maxLength: 4 }), fc.array(quota, { maxLength: 2 }));
    await fc.assert(
      fc.asyncProperty(documents, async ([policies, quotas]) => {
        const snapshot = snapshotOf({
          accessPolicies: policies.map((fields, index) => accessPolicy(`a${index}`, fields)),
          quotaPolicies: quotas.map((fields, index) => quotaPolicy(`q${index}`, fields)),
          rules: [rule("r", "checker", { match: compiled("request.size > 5") })],
        });
        const plan = planChecks(snapshot);
        const expected = await decide(plan, BAG, context);
        const { decision, explanation } = await explainDecision(plan, BAG, context, { tracer });
        assert.deepEqual(decision, expected);
        assert.deepEqual(explanation.decision.decidedBy, expected.decidedBy);
        JSON.stringify(explanation);
        const deciders = explanation.documents.filter(({ decides }) => decides);
        assert.ok(deciders.length <= 1);
        if (expected.decidedBy !== undefined) assert.equal(deciders[0]?.name, expected.decidedBy.name);
      }),
      { numRuns: 100 },
    );
  });

  it("contains the values that handlers receive, and their answers", async () => {
    const asked: string[] = [];
    const plan = planChecks(snapshotOf({ rules: [rule("listed", "checker", { match: compiled("true") })] }));
    const { explanation } = await explainDecision(
      plan,
      BAG,
      {
        ...context,
        dispatch: {
          attributeSources: [],
          ask: (handler) => {
            asked.push(handler);
            return { status: { code: "PERMISSION_DENIED", message: "not listed" } };
          },
        },
      },
      { tracer: createTracer() },
    );
    assert.ok(asked.length > 0);
    assert.equal(documentIn(explanation, "listed").outcome, "refused");
    assert.equal(explanation.decision.status.message, "not listed");
  });
});
