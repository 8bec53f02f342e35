// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import type { CheckReply, MixerService } from "../../api/mixer-service.ts";
import type { Decision } from "../../core/check/decision.ts";
import type { QuotaCharge, QuotaOutcome } from "../../core/quota/quota-charge.ts";
import { compileWithJsonata } from "../../core/expressions/jsonata-engine.ts";
import { replyOf } from "../../core/verdict/reply.ts";
import { verdictOf } from "../../core/verdict/verdict-of.ts";
import { authReply } from "../../mixer/servers/auth/auth-reply.ts";
import { createCollectingLogger, createSeededRandom } from "../../plugins/sdk/testing/index.ts";
import { call, cleanUp, clock, onCleanup, scheduler, startWith } from "../../proxy/testing/harness.test.ts";
import { createPolicyClient } from "../../proxy/policy/policy-client.ts";
import { decision } from "../support/decisions.ts";
import { charge, outcome } from "../support/quota-charges.ts";

/** A local reply: status, headers and body that a client receives. */
interface LocalReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
}

interface Case {
  readonly what: string;
  readonly decision: Partial<Decision>;
  /** The outcome of each of the decision's charges. */
  readonly quotas?: readonly (readonly [Partial<QuotaCharge>, Partial<QuotaOutcome>])[];
  /** Absent: the request is forwarded. */
  readonly localReply?: LocalReply;
  /** Headers of the response when the request is forwarded. */
  readonly headers?: Readonly<Record<string, string>>;
  /** The code and the kinds of details in the gRPC reply. */
  readonly grpc: readonly string[];
}

const POLICY = { kind: "AccessPolicy", name: "shop/login" };
const denied = (fields: Partial<Decision> = {}): Partial<Decision> => ({
  status: { code: "PERMISSION_DENIED", message: "no" },
  reason: { kind: "policy" },
  decidedBy: POLICY,
  ...fields,
});
const failed = (
  code: "PURSER_EXPR_EVALUATION" | "PURSER_HANDLER_FAILED" | "PURSER_REQUEST_AMBIGUOUS",
  status: Decision["status"]["code"],
): Partial<Decision> => ({
  status: { code: status, message: "login could not be decided" },
  reason: { kind: "error", code, detail: "for the logs" },
  decidedBy: POLICY,
});
const away = (applied: "allow" | "deny" | "local", granted: number): Partial<QuotaOutcome> => ({
  granted,
  retryAfterMs: granted === 0 ? 1_000 : 0,
  failure: { code: "PURSER_STORE_UNAVAILABLE", applied },
});
const problem = (
  status: number,
  title: string,
  detail: string,
  more: Readonly<Record<string, unknown>>,
  headers: Readonly<Record<string, string>> = {},
): LocalReply => ({
  status,
  headers: { "content-type": "application/problem+json", ...headers },
  body: { type: "about:blank", title, status, detail, ...more },
});
const undecided = (status: number, title: string, code: string): LocalReply =>
  problem(
    status,
    title,
    "login could not be decided",
    { code, policy: "AccessPolicy/shop/login" },
    { "x-purser-error": code, "x-purser-policy": "AccessPolicy/shop/login" },
  );
const exceeded = (
  quota: string,
  retryAfter: string,
  headers: Readonly<Record<string, string>>,
): LocalReply => ({
  status: 429,
  headers: {
    "content-type": "application/problem+json",
    "retry-after": retryAfter,
    "x-purser-policy": `QuotaPolicy/${quota}`,
    ...headers,
  },
  body: {
    type: "https://iana.org/assignments/http-problem-types#quota-exceeded",
    title: "Quota Exceeded",
    status: 429,
    detail: `quota ${quota} is used up`,
    policy: `QuotaPolicy/${quota}`,
    "violated-policies": [quota],
  },
});
const LIMITED = [
  "RESOURCE_EXHAUSTED",
  "google.rpc.ErrorInfo",
  "google.rpc.RetryInfo",
  "google.rpc.QuotaFailure",
];

const CASES: readonly Case[] = [
  { what: "an allowed request", decision: {}, headers: {}, grpc: ["OK"] },
  {
    what: "an allowed request with header changes and quotas",
    decision: { responseHeaders: [{ operation: "set", name: "x-seen", value: "José" }] },
    quotas: [
      [{ policy: "a" }, { remaining: 1 }],
      [
        { policy: "b", mode: "shadow" },
        { granted: 0, retryAfterMs: 5 },
      ],
    ],
    headers: { "x-seen": "José", "ratelimit-policy": '"a";q=2;w=60', ratelimit: '"a";r=1;t=60' },
    grpc: ["OK"],
  },
  {
    what: "an allowed request whose store is away",
    decision: {},
    quotas: [[{ policy: "a", onStoreFailure: "allow" }, away("allow", 1)]],
    headers: {},
    grpc: ["OK"],
  },
  {
    what: "an allowed request that a handler answers",
    decision: { directResponse: { httpStatus: 302, headers: { Location: "/login" }, body: "" } },
    localReply: { status: 302, headers: { location: "/login" }, body: "" },
    grpc: ["UNKNOWN"],
  },
  {
    what: "a denial",
    decision: denied({ responseHeaders: [{ operation: "set", name: "x-why", value: "because" }] }),
    localReply: problem(
      403,
      "Forbidden",
      "no",
      { policy: "AccessPolicy/shop/login" },
      { "x-purser-policy": "AccessPolicy/shop/login", "x-why": "because" },
    ),
    grpc: ["PERMISSION_DENIED", "google.rpc.ErrorInfo"],
  },
  {
    what: "a denial with another status",
    decision: denied({ status: { code: "UNAUTHENTICATED", message: "who are you?" } }),
    localReply: problem(
      401,
      "Unauthorized",
      "who are you?",
      { policy: "AccessPolicy/shop/login" },
      { "x-purser-policy": "AccessPolicy/shop/login" },
    ),
    grpc: ["UNAUTHENTICATED", "google.rpc.ErrorInfo"],
  },
  {
    what: "a denial with a response of its own",
    decision: denied({
      directResponse: {
        httpStatus: 418,
        headers: { "Content-Type": "text/html", "X-Page": "1" },
        body: "<p>",
      },
      responseHeaders: [{ operation: "append", name: "x-page", value: "2" }],
    }),
    localReply: {
      status: 418,
      headers: {
        "content-type": "text/html",
        "x-page": "1, 2",
        "x-purser-policy": "AccessPolicy/shop/login",
      },
      body: "<p>",
    },
    grpc: ["PERMISSION_DENIED", "google.rpc.ErrorInfo"],
  },
  {
    what: "a refusal that names no document",
    decision: { status: { code: "PERMISSION_DENIED", message: "no" } },
    localReply: problem(
      500,
      "Internal Server Error",
      "the request could not be decided",
      { code: "PURSER_INTERNAL" },
      { "x-purser-error": "PURSER_INTERNAL" },
    ),
    grpc: ["INTERNAL", "google.rpc.ErrorInfo"],
  },
  {
    what: "a used-up quota, and another that was given back",
    decision: { responseHeaders: [{ operation: "set", name: "x-void", value: "1" }] },
    quotas: [
      [{ policy: "wide" }, { granted: 0, remaining: 2 }],
      [{ policy: "narrow" }, { granted: 0, remaining: 0, retryAfterMs: 1_200 }],
    ],
    localReply: exceeded("narrow", "2", {
      "ratelimit-policy": '"wide";q=2;w=60, "narrow";q=2;w=60',
      ratelimit: '"wide";r=2;t=60, "narrow";r=0;t=2',
    }),
    grpc: LIMITED,
  },
  {
    what: "a used-up quota whose store does not say how long to wait",
    decision: {},
    quotas: [[{ policy: "q" }, { granted: 0, remaining: 0, resetMs: 0 }]],
    localReply: exceeded("q", "1", { "ratelimit-policy": '"q";q=2;w=60', ratelimit: '"q";r=0;t=1' }),
    grpc: LIMITED,
  },
  {
    what: "a quota whose local share is used up",
    decision: {},
    quotas: [[{ policy: "q", onStoreFailure: "local" }, away("local", 0)]],
    localReply: exceeded("q", "1", {}),
    grpc: LIMITED,
  },
  {
    what: "a quota that nobody could count",
    decision: {},
    quotas: [[{ policy: "q" }, away("deny", 0)]],
    localReply: problem(
      503,
      "Temporary Reduced Capacity",
      "q could not be decided",
      {
        type: "https://iana.org/assignments/http-problem-types#temporary-reduced-capacity",
        code: "PURSER_STORE_UNAVAILABLE",
        policy: "QuotaPolicy/q",
        "violated-policies": ["q"],
      },
      { "x-purser-error": "PURSER_STORE_UNAVAILABLE", "x-purser-policy": "QuotaPolicy/q" },
    ),
    grpc: ["UNAVAILABLE", "google.rpc.ErrorInfo"],
  },
  {
    what: "an expression that fails",
    decision: failed("PURSER_EXPR_EVALUATION", "INTERNAL"),
    localReply: undecided(500, "Internal Server Error", "PURSER_EXPR_EVALUATION"),
    grpc: ["INTERNAL", "google.rpc.ErrorInfo"],
  },
  {
    what: "a handler that fails",
    decision: failed("PURSER_HANDLER_FAILED", "UNAVAILABLE"),
    localReply: undecided(503, "Service Unavailable", "PURSER_HANDLER_FAILED"),
    grpc: ["UNAVAILABLE", "google.rpc.ErrorInfo"],
  },
  {
    what: "a request that cannot be judged",
    decision: failed("PURSER_REQUEST_AMBIGUOUS", "INVALID_ARGUMENT"),
    localReply: undecided(400, "Bad Request", "PURSER_REQUEST_AMBIGUOUS"),
    grpc: ["INVALID_ARGUMENT", "google.rpc.ErrorInfo"],
  },
  {
    what: "an error with a denial's status",
    decision: failed("PURSER_HANDLER_FAILED", "PERMISSION_DENIED"),
    localReply: undecided(503, "Service Unavailable", "PURSER_HANDLER_FAILED"),
    grpc: ["UNAVAILABLE", "google.rpc.ErrorInfo"],
  },
  {
    what: "a denial in shadow mode",
    decision: { shadowDenials: [POLICY] },
    headers: {},
    grpc: ["OK"],
  },
];

function checkReplyOf({ decision: fields, quotas = [] }: Case): CheckReply {
  const charges = quotas.map(([of], index) => charge(of.policy ?? `q${index}`, of));
  const outcomes = quotas.map(([, what], index) => outcome(charges[index]?.policy ?? "", what));
  return { version: "v1", decision: decision({ ...fields, charges }), quotas: outcomes };
}

/**
 * A local reply with the fields of one name joined to one text, without the fields that every response has.
 */
function comparableReply(
  status: number,
  fields: Iterable<readonly [string, string]>,
  body: string,
): LocalReply {
  const headers: Record<string, string> = {};
  for (const [name, value] of fields) {
    const lower = name.toLowerCase();
    if (/^(date|server|connection|keep-alive|content-length|transfer-encoding|x-request-id)$/.test(lower))
      continue;
    const text = Buffer.from(value, "latin1").toString();
    headers[lower] = headers[lower] === undefined ? text : `${headers[lower]}, ${text}`;
  }
  if (headers["content-type"] !== "application/problem+json") return { status, headers, body };
  const { requestId: _, ...problemBody } = JSON.parse(body) as Record<string, unknown>;
  return { status, headers, body: problemBody };
}

async function replyOfProxy(checked: CheckReply): Promise<LocalReply> {
  const service: MixerService = {
    check: () => checked,
    allocate: () => ({ kind: "stale", version: "v1" }),
    report: () => undefined,
    watch: (_, listener) => {
      listener({ version: "v1", proxies: 1, policies: [] });
      return () => undefined;
    },
  };
  const policy = createPolicyClient({
    service,
    identity: { id: "edge" },
    clock,
    random: createSeededRandom(),
    scheduler,
    logger: createCollectingLogger(),
    compile: compileWithJsonata,
  });
  onCleanup(() => policy.close(100));
  const upstream = (_: unknown, outgoing: { end(): void }) => outgoing.end();
  const { port } = await startWith(upstream, { proxy: { policy } });
  const { status, rawHeaders, body } = await call(port);
  const fields = rawHeaders.flatMap((name, index) =>
    index % 2 === 0 ? [[name, rawHeaders[index + 1] ?? ""] as const] : [],
  );
  return comparableReply(status, fields, body);
}

describe("every server answers a checked request alike", () => {
  afterEach(cleanUp);

  for (const each of CASES) {
    const checked = checkReplyOf(each);
    const expected: LocalReply = each.localReply ?? { status: 200, headers: each.headers ?? {}, body: "" };

    it(`by the proxy: ${each.what}`, async () => {
      assert.deepEqual(await replyOfProxy(checked), expected);
    });

    it(`by /auth: ${each.what}`, () => {
      const { status, headers, body } = authReply(checked, "forwarded");
      assert.deepEqual(comparableReply(status, headers, body), expected);
    });

    it(`over gRPC: ${each.what}`, () => {
      const reply = replyOf(verdictOf(checked.decision, checked.quotas));
      const grpc = reply?.grpc ?? { code: "OK", details: [] };
      assert.deepEqual([grpc.code, ...grpc.details.map(({ type }) => type)], each.grpc);
      assert.equal(reply?.httpStatus, each.localReply?.status);
    });
  }
});
