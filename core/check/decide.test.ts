// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { mergeManifests } from "../../expressions/manifest/manifest.ts";
import {
  accessPolicy,
  computed,
  expression,
  quotaPolicy,
  rule,
  snapshotOf,
} from "../../test/support/snapshots.ts";
import type { AttributeBag } from "../attributes/bag.ts";
import { ExpressionError } from "../../expressions/errors/expression-error.ts";
import { PurserError } from "../../kernel/errors.ts";
import { isPromise, type MaybePromise } from "../../kernel/maybe-promise.ts";
import type { Snapshot } from "../snapshot/snapshot.ts";
import type { CheckAnswer } from "../templates/instances.ts";
import { decide } from "./decide.ts";
import type { Decision } from "./decision.ts";
import { planChecks } from "./plan.ts";
import type { AttributeSource, CheckDispatch, CheckObserver } from "./ports.ts";

const yes = expression(() => true);
const no = expression(() => false);
const broken = expression(() => {
  throw new ExpressionError("T2009", "cannot compare");
});
const OK: CheckAnswer = { status: { code: "OK", message: "" } };

const bag = { request: { method: "POST", headers: { "x-user": "ann" } } } satisfies AttributeBag;

interface TestPorts {
  readonly answers?: Readonly<Record<string, () => MaybePromise<CheckAnswer | undefined>>>;
  readonly attributeSources?: readonly AttributeSource[];
  readonly observer?: CheckObserver;
}

function decideMaybe(documents: Partial<Snapshot>, ports: TestPorts = {}, attributes: AttributeBag = bag) {
  const dispatch: CheckDispatch = {
    attributeSources: ports.attributeSources ?? [],
    ask: (handler) => ports.answers?.[handler]?.(),
  };
  const context = {
    nowMs: 0,
    dispatch,
    ...(ports.observer === undefined ? {} : { observer: ports.observer }),
  };
  return decide(planChecks(snapshotOf(documents)), attributes, context);
}

/** Asserts that the decision is synchronous. */
function decideNow(documents: Partial<Snapshot>, ports?: TestPorts, attributes?: AttributeBag): Decision {
  const decision = decideMaybe(documents, ports, attributes);
  assert.ok(!isPromise(decision), "the decision was not synchronous");
  return decision;
}

const method = (attributes: AttributeBag) => (attributes["request"] as { method?: string }).method;
const header = (name: string) => (attributes: AttributeBag) =>
  ((attributes["request"] as { headers?: Record<string, string> }).headers ?? {})[name];

describe("a decision", () => {
  it("allows a request that no document governs, with the default validity and no reads", () => {
    assert.deepEqual(decideNow({}), {
      status: { code: "OK", message: "" },
      requestHeaders: [],
      responseHeaders: [],
      validDurationMs: 10_000,
      validUseCount: 10_000,
      referenced: [],
      shadowDenials: [],
      audits: [],
      charges: [],
    } satisfies Decision);
  });

  describe("by DENY policies", () => {
    it("refuses with the first true policy in document order and evaluates none after it", () => {
      let asked = 0;
      const decision = decideNow({
        accessPolicies: [
          accessPolicy("a", { when: no }),
          accessPolicy("b", {
            when: yes,
            status: { code: "UNAUTHENTICATED", message: expression(() => "who?") },
          }),
          accessPolicy("c", { when: expression(() => (asked++, true)) }),
        ],
      });
      assert.deepEqual(decision.status, { code: "UNAUTHENTICATED", message: "who?" });
      assert.deepEqual(decision.decidedBy, { kind: "AccessPolicy", name: "b" });
      assert.deepEqual(decision.reason, { kind: "policy" });
      assert.equal(asked, 0);
    });

    it("treats an absent `when` as true and an absent value as false", () => {
      assert.equal(decideNow({ accessPolicies: [accessPolicy("a")] }).status.code, "PERMISSION_DENIED");
      const absent = accessPolicy("a", { when: expression(() => undefined) });
      assert.equal(decideNow({ accessPolicies: [absent] }).status.code, "OK");
    });

    it("falls back to a default message when the policy's fails or is absent", () => {
      for (const message of [undefined, broken, expression(() => undefined)]) {
        const status = { code: "PERMISSION_DENIED", message } as const;
        assert.equal(
          decideNow({ accessPolicies: [accessPolicy("a", { status })] }).status.message,
          "denied by a",
        );
      }
    });

    it("replies directly with the policy's body, as JSON when it is not text", () => {
      const directResponse = {
        httpStatus: 418,
        headers: { "x-kind": "teapot" },
        body: expression(() => ({ teapot: true })),
      };
      assert.deepEqual(
        decideNow({ accessPolicies: [accessPolicy("a", { directResponse })] }).directResponse,
        {
          httpStatus: 418,
          headers: { "content-type": "application/json", "x-kind": "teapot" },
          body: '{"teapot":true}',
        },
      );
    });
  });

  describe("by ALLOW policies", () => {
    const allow = (name: string, fields = {}) => accessPolicy(name, { action: "ALLOW", ...fields });
    const cases: readonly [string, Parameters<typeof decideNow>[0], string, string?][] = [
      [
        "allows when one of those that govern is true",
        { accessPolicies: [allow("a", { when: no }), allow("b", { when: yes })] },
        "OK",
      ],
      [
        "refuses for the first that governs when none is true",
        { accessPolicies: [allow("a", { match: no }), allow("b", { when: no }), allow("c", { when: no })] },
        "PERMISSION_DENIED",
        "b",
      ],
      ["allows when none governs", { accessPolicies: [allow("a", { match: no, when: no })] }, "OK"],
      [
        "does not outweigh a DENY that comes later",
        { accessPolicies: [allow("a", { when: yes }), accessPolicy("d", { when: yes })] },
        "PERMISSION_DENIED",
        "d",
      ],
      [
        "does not let one in shadow allow anything",
        { accessPolicies: [allow("a", { when: no }), allow("b", { when: yes, mode: "shadow" })] },
        "PERMISSION_DENIED",
        "a",
      ],
    ];
    for (const [name, documents, code, decidedBy] of cases) {
      it(name, () => {
        const decision = decideNow(documents);
        assert.equal(decision.status.code, code);
        assert.equal(decision.decidedBy?.name, decidedBy);
      });
    }
  });

  describe("in shadow mode", () => {
    it("lists policies that would have refused, and refuses nothing", () => {
      const decision = decideNow(
        {
          accessPolicies: [
            accessPolicy("deny", { mode: "shadow" }),
            accessPolicy("allow", { mode: "shadow", action: "ALLOW", when: no }),
            accessPolicy("broken", { mode: "shadow", when: broken }),
            accessPolicy("tolerant", { mode: "shadow", when: broken, onError: "allow" }),
          ],
          rules: [rule("rule", "refuser", { mode: "shadow" })],
        },
        { answers: { refuser: () => ({ status: { code: "NOT_FOUND", message: "" } }) } },
      );
      assert.equal(decision.status.code, "OK");
      assert.deepEqual(
        decision.shadowDenials.map(({ name }) => name),
        ["deny", "broken", "rule", "allow"],
      );
    });

    it("does not list an ALLOW policy in shadow mode when another ALLOW is true", () => {
      const decision = decideNow({
        accessPolicies: [
          accessPolicy("a", { mode: "shadow", action: "ALLOW", when: no }),
          accessPolicy("b", { mode: "shadow", action: "ALLOW", when: yes }),
        ],
      });
      assert.deepEqual(decision.shadowDenials, []);
    });
  });

  describe("by AUDIT policies", () => {
    it("records refused requests too, and never refuses because of its own failure", () => {
      const audits = [
        accessPolicy("audit", { action: "AUDIT" }),
        accessPolicy("broken", { action: "AUDIT", when: broken }),
      ];
      assert.deepEqual(decideNow({ accessPolicies: audits }).audits, [
        { kind: "AccessPolicy", name: "audit" },
      ]);
      assert.equal(decideNow({ accessPolicies: audits }).status.code, "OK");
      assert.equal(decideNow({ accessPolicies: [...audits, accessPolicy("deny")] }).audits.length, 1);
    });
  });

  describe("when an expression fails", () => {
    it("refuses with an error, not a denial, for onError: deny", () => {
      for (const fields of [{ when: broken }, { match: broken }, { match: expression(() => "true") }]) {
        const decision = decideNow({ accessPolicies: [accessPolicy("a", fields)] });
        assert.deepEqual(decision.status, { code: "INTERNAL", message: "a could not be decided" });
        assert.equal(decision.reason?.kind === "error" && decision.reason.code, "PURSER_EXPR_EVALUATION");
        assert.deepEqual(decision.decidedBy, { kind: "AccessPolicy", name: "a" });
      }
    });

    it("ignores the policy for onError: allow, and calls the observer", () => {
      const seen: string[] = [];
      const observer: CheckObserver = {
        outcome: ({ name }, outcome) => void seen.push(`${name} ${outcome}`),
        fault: ({ name }, { detail }) => void seen.push(`${name} ${detail}`),
      };
      const tolerant = accessPolicy("a", { action: "ALLOW", when: broken, onError: "allow" });
      assert.equal(decideNow({ accessPolicies: [tolerant] }, { observer }).status.code, "OK");
      assert.deepEqual(seen, ["a T2009: cannot compare", "a fault"]);
    });

    it("may be cached when it would fail again, and not when it ran out of time", () => {
      const late = expression(() => {
        throw new ExpressionError("D1012", "timeout");
      });
      assert.equal(
        decideNow({ accessPolicies: [accessPolicy("a", { when: broken })] }).validDurationMs,
        10_000,
      );
      assert.equal(decideNow({ accessPolicies: [accessPolicy("a", { when: late })] }).validDurationMs, 0);
    });
  });

  describe("by Rules", () => {
    it("calls all handlers concurrently, and the first refusal in document order decides", async () => {
      const started: string[] = [];
      let release = (): void => {};
      const slow = new Promise<void>((resolve) => (release = resolve));
      const pending = decideMaybe(
        { rules: [rule("first", "slow"), rule("second", "fast")] },
        {
          answers: {
            slow: async () => {
              started.push("slow");
              await slow;
              return { status: { code: "NOT_FOUND", message: "slow" } };
            },
            fast: () => {
              started.push("fast");
              return { status: { code: "ABORTED", message: "fast" } };
            },
          },
        },
      );
      assert.deepEqual(started, ["slow", "fast"]);
      release();
      assert.deepEqual((await pending).status, { code: "NOT_FOUND", message: "slow" });
    });

    it("calls no handler when a DENY policy refuses", () => {
      const answers = { handler: () => assert.fail("asked") };
      decideNow({ accessPolicies: [accessPolicy("a")], rules: [rule("r", "handler")] }, { answers });
    });

    it("applies the rule's onError to a failed handler, as unavailable, and is not cached", () => {
      const answers = {
        handler: () => {
          throw new PurserError("PURSER_HANDLER_TIMEOUT", "too late");
        },
      };
      const refused = decideNow({ rules: [rule("r", "handler")] }, { answers });
      assert.equal(refused.status.code, "UNAVAILABLE");
      assert.deepEqual(refused.reason, { kind: "error", code: "PURSER_HANDLER_TIMEOUT", detail: "too late" });
      assert.equal(refused.validDurationMs, 0);
      const allowed = decideNow({ rules: [rule("r", "handler", { onError: "allow" })] }, { answers });
      assert.equal(allowed.status.code, "OK");
      assert.equal(allowed.validDurationMs, 0);
    });

    it("treats a malformed answer as a failure", () => {
      const bad: readonly unknown[] = [
        { status: { code: "NO_SUCH_CODE", message: "" } },
        { ...OK, validDurationMs: Number.NaN },
        { ...OK, headers: { request: [{ operation: "set", name: "X-Upper", value: "1" }] } },
        { ...OK, headers: { response: [{ operation: "set", name: "x", value: "1\r\nset-cookie: a=b" }] } },
        { ...OK, headers: { request: [{ operation: "remove", name: "host" }] } },
        { ...OK, headers: { request: [{ operation: "set", name: "x-a" }] } },
        ...[
          { httpStatus: 101 },
          { httpStatus: 200.5 },
          { httpStatus: "200" },
          { headers: { "Transfer-Encoding": "chunked" } },
          { headers: { "x-a": "1\n2" } },
          { headers: { "x-a": 1 } },
          { headers: null },
          { body: 1 },
        ].map((part) => ({ ...OK, directResponse: { httpStatus: 200, headers: {}, body: "", ...part } })),
        {},
      ];
      for (const answer of bad) {
        const answers = { handler: () => answer as CheckAnswer };
        const decision = decideNow({ rules: [rule("r", "handler")] }, { answers });
        assert.equal(decision.reason?.kind === "error" && decision.reason.code, "PURSER_HANDLER_FAILED");
      }
    });

    it("passes on the first direct response of handlers that allow the request", () => {
      const respond = (body: string) => () => ({
        ...OK,
        directResponse: { httpStatus: 302, headers: { location: "/login" }, body },
      });
      const rules = [rule("r", "first"), rule("s", "second")];
      const answers = { first: respond("1"), second: respond("2") };
      const allowed = decideNow({ rules }, { answers });
      assert.equal(allowed.status.code, "OK");
      assert.equal(allowed.directResponse?.body, "1");
      const denied = decideNow({ rules, accessPolicies: [accessPolicy("a")] }, { answers });
      assert.equal(denied.directResponse, undefined);
    });

    it("has the shortest validity of all documents", () => {
      const answers = {
        short: () => ({ ...OK, validDurationMs: 2_000 }),
        rare: () => ({ ...OK, validUseCount: 3 }),
      };
      const decision = decideNow(
        {
          accessPolicies: [accessPolicy("a", { when: no, validDurationMs: 5_000, validUseCount: 50 })],
          rules: [rule("r", "short"), rule("s", "rare")],
        },
        { answers },
      );
      assert.equal(decision.validDurationMs, 2_000);
      assert.equal(decision.validUseCount, 3);
    });
  });

  describe("headers", () => {
    const set = (name: string, value: () => unknown) => ({
      request: { set: [[name, expression(value)] as const], append: [], remove: ["x-old"] },
      response: { set: [], append: [[name, expression(value)] as const], remove: [] },
    });

    it("are in document order, whatever the kind of document", () => {
      const first = accessPolicy("first", { action: "AUDIT", headers: set("x-a", () => 1) });
      const second = rule("second", "handler");
      const third = accessPolicy("third", { action: "ALLOW", headers: set("x-a", () => true) });
      const change = [{ operation: "set", name: "x-a", value: "rule" }] as const;
      const answers = { handler: () => ({ ...OK, headers: { request: change } }) };
      const decision = decideNow({ accessPolicies: [first, third], rules: [second] }, { answers });
      assert.deepEqual(decision.requestHeaders, [
        { operation: "remove", name: "x-old" },
        { operation: "set", name: "x-a", value: "1" },
        { operation: "set", name: "x-a", value: "rule" },
        { operation: "remove", name: "x-old" },
        { operation: "set", name: "x-a", value: "true" },
      ]);
      assert.deepEqual(
        decision.responseHeaders.map(({ value }) => value),
        ["1", "true"],
      );
    });

    it("omit absent values", () => {
      const policy = accessPolicy("a", { action: "ALLOW", headers: set("x-a", () => undefined) });
      assert.deepEqual(decideNow({ accessPolicies: [policy] }).requestHeaders, [
        { operation: "remove", name: "x-old" },
      ]);
    });

    it("with an invalid value are an error of the policy", () => {
      for (const value of ["a\r\nb: c", "a\u0000", "\ud83d", ["a"], { a: 1 }]) {
        const policy = accessPolicy("a", { action: "ALLOW", headers: set("x-a", () => value) });
        assert.equal(decideNow({ accessPolicies: [policy] }).status.code, "INTERNAL", JSON.stringify(value));
      }
    });

    it("of a refusal are those of the refusing policy, on the response", () => {
      const earlier = accessPolicy("earlier", { action: "AUDIT", headers: set("x-audit", () => "1") });
      const deny = accessPolicy("deny", { headers: set("x-why", () => "because") });
      const decision = decideNow({ accessPolicies: [earlier, deny] });
      assert.deepEqual(decision.requestHeaders, []);
      assert.deepEqual(
        decision.responseHeaders.map(({ name }) => name),
        ["x-audit", "x-why"],
      );
    });
  });

  describe("quota charges", () => {
    it("have the cell, the rounded-up amount, the limit of the first true override and the message", () => {
      const policy = quotaPolicy("per-user", {
        key: [["user", computed(header("x-user"))]],
        charge: computed(() => 1.2),
        overrides: [
          { when: no, limit: 1 },
          { when: yes, limit: 20 },
          { when: yes, limit: 30 },
        ],
        message: expression(() => "slow down"),
      });
      assert.deepEqual(decideNow({ quotaPolicies: [policy] }).charges, [
        {
          policy: "per-user",
          algorithm: "fixed-window",
          cell: 'per-user{"user":"ann"}',
          limit: 20,
          windowMs: 60_000,
          amount: 2,
          leaseMs: 1_000,
          mode: "enforce",
          onStoreFailure: "local",
          message: "slow down",
        },
      ]);
    });

    it("share one count, whatever limit applies", () => {
      const cellFor = (gold: boolean) => {
        const policy = quotaPolicy("q", {
          algorithm: "token-bucket",
          limit: 5,
          overrides: [{ when: gold ? yes : no, limit: 50 }],
        });
        return decideNow({ quotaPolicies: [policy] }).charges.map(({ cell, limit }) => [cell, limit]);
      };
      assert.deepEqual(cellFor(false), [["q{}", 5]]);
      assert.deepEqual(cellFor(true), [["q{}", 50]]);
    });

    it("are none when the request is refused or the policy does not match", () => {
      const refused = decideNow({ accessPolicies: [accessPolicy("a")], quotaPolicies: [quotaPolicy("q")] });
      assert.deepEqual(refused.charges, []);
      assert.deepEqual(decideNow({ quotaPolicies: [quotaPolicy("q", { match: no })] }).charges, []);
    });

    it("with an amount that is not a number of at least 0 are an error of the policy", () => {
      for (const charge of [-1, Number.NaN, Number.POSITIVE_INFINITY, 1e300, "3", undefined]) {
        const documents = {
          quotaPolicies: [quotaPolicy("ok"), quotaPolicy("q", { charge: computed(() => charge) })],
        };
        const decision = decideNow(documents);
        assert.equal(decision.status.code, "INTERNAL", String(charge));
        assert.deepEqual(decision.charges, []);
      }
    });

    it("are omitted for onError: allow", () => {
      const policy = quotaPolicy("q", { match: broken, onError: "allow" });
      const decision = decideNow({ quotaPolicies: [policy, quotaPolicy("other")] });
      assert.deepEqual(
        decision.charges.map(({ policy: name }) => name),
        ["other"],
      );
    });
  });

  describe("references", () => {
    it("list the reads of all expressions together, including absent attributes", () => {
      const decision = decideNow({
        accessPolicies: [accessPolicy("a", { match: expression((b) => method(b) === "GET") })],
        quotaPolicies: [quotaPolicy("q", { key: [["user", computed(header("x-missing"))]] })],
      });
      assert.deepEqual(
        decision.referenced.map(({ path, condition }) => `${condition} ${path.join(".")}`).sort(),
        ["ABSENCE request.headers.x-missing", "EXACT request.method", "PRESENCE request.headers"],
      );
    });

    it("prevent caching when an expression depends on more than the bag", () => {
      const clock = expression(() => false, { cacheable: false });
      assert.equal(decideNow({ accessPolicies: [accessPolicy("a", { when: clock })] }).validDurationMs, 0);
      const unasked = accessPolicy("a", { match: no, when: clock });
      assert.equal(decideNow({ accessPolicies: [unasked] }).validDurationMs, 10_000);
    });
  });

  describe("with attributes that plugins add", () => {
    const tier: AttributeSource = {
      ref: { kind: "Handler", name: "tiers" },
      manifest: mergeManifests([
        {
          attributes: {
            "request.tier": { type: "STRING" },
            "request.method": { type: "STRING" },
            "request.copy": { type: "STRING" },
          },
        },
      ]).manifest,
      add: (seen) => ({ "request.tier": header("x-user")(seen) === "ann" ? "gold" : "none" }),
    };
    const isGold = expression((b) => (b["request"] as { tier?: string }).tier === "gold");

    it("reads them, and references their sources and their absence in the original bag", () => {
      const decision = decideNow(
        { accessPolicies: [accessPolicy("a", { when: isGold })] },
        { attributeSources: [tier] },
      );
      assert.equal(decision.decidedBy?.name, "a");
      const read = decision.referenced.map(({ path, condition }) => `${condition} ${path.join(".")}`);
      assert.ok(read.includes("EXACT request.headers.x-user"), read.join());
      assert.ok(read.includes("ABSENCE request.tier"), read.join());
    });

    it("keeps the bag's own attributes and lets later sources read earlier additions", () => {
      const overwrite: AttributeSource = {
        ...tier,
        add: () => ({ "request.method": "GET", "request.tier.x": 1 }),
      };
      const copy: AttributeSource = {
        ...tier,
        add: (b) => ({ "request.copy": `${(b["request"] as { tier: string }).tier}` }),
      };
      const when = expression((b) => {
        const { method: m, copy: c } = b["request"] as { method: string; copy: string };
        return m === "POST" && c === "gold";
      });
      const ports = { attributeSources: [tier, overwrite, copy] };
      assert.equal(decideNow({ accessPolicies: [accessPolicy("a", { when })] }, ports).decidedBy?.name, "a");
    });

    it("leaves out what is not declared or has another type, and says so", () => {
      const refusals: string[] = [];
      const observer: CheckObserver = {
        outcome() {},
        fault: () => assert.fail("no fault"),
        attributeRefused: ({ name }, refused) =>
          void refusals.push(`${name}: ${refused.detail} (${refused.reason})`),
      };
      const wrong: AttributeSource = {
        ...tier,
        add: () => ({ "request.tier": 3, "request.teir": "gold", "request.copy": "kept" }),
      };
      const when = expression((b) => {
        const seen = (b["request"] ?? {}) as Record<string, unknown>;
        return seen["tier"] === undefined && seen["teir"] === undefined && seen["copy"] === "kept";
      });
      const ports = { attributeSources: [wrong], observer };
      const decision = decideNow({ accessPolicies: [accessPolicy("a", { when })] }, ports);
      assert.equal(decision.decidedBy?.name, "a");
      assert.equal(decision.validDurationMs, 10_000);
      assert.deepEqual(refusals, [
        "tiers: request.tier is declared as STRING; got a number (type)",
        'tiers: request.teir is declared neither in the plugin\'s "provides" nor in an AttributeManifest (undeclared)',
      ]);
    });

    for (const returned of [null, "request.tier", ["gold"], 1] as unknown[]) {
      it(`skips a source that returns ${JSON.stringify(returned)}`, () => {
        const faults: string[] = [];
        const observer: CheckObserver = { outcome() {}, fault: (_, { detail }) => void faults.push(detail) };
        const wrong = { ...tier, add: () => returned } as AttributeSource;
        const decision = decideNow({ accessPolicies: [] }, { attributeSources: [wrong], observer });
        assert.equal(decision.status.code, "OK");
        assert.match(faults.join(), /^the tap of "attributes" returned an? \w+ where|returned null where/);
      });
    }

    it("skips a source that throws, and is not cached", () => {
      const faults: string[] = [];
      const observer: CheckObserver = {
        outcome() {},
        fault: ({ name }, { code }) => void faults.push(`${name} ${code}`),
      };
      const failing: AttributeSource = {
        ...tier,
        add: () => {
          throw new Error("no");
        },
      };
      const decision = decideNow({ accessPolicies: [] }, { attributeSources: [failing], observer });
      assert.equal(decision.status.code, "OK");
      assert.equal(decision.validDurationMs, 0);
      assert.deepEqual(faults, ["tiers PURSER_HANDLER_FAILED"]);
    });
  });

  it("is safe from attribute names such as __proto__", () => {
    const source: AttributeSource = {
      ref: { kind: "Handler", name: "h" },
      manifest: mergeManifests([]).manifest,
      add: () => JSON.parse('{"__proto__.polluted": true, "constructor.prototype.polluted": true}'),
    };
    decideNow({ accessPolicies: [accessPolicy("a", { when: no })] }, { attributeSources: [source] });
    assert.equal(({} as { polluted?: boolean }).polluted, undefined);
  });
});
