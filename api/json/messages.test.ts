// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import fc from "fast-check";
import type { Explanation } from "../../core/explain/explanation.ts";
import type { TraceNode } from "../../core/explain/trace-node.ts";
import type { TrafficUpdate } from "../../core/traffic/resources/resource-set.ts";
import { isPurserError } from "../../kernel/errors.ts";
import type {
  AllocateReply,
  AllocateRequest,
  CheckReply,
  CheckRequest,
  PolicyState,
  ReportRequest,
} from "../mixer-service.ts";
import { decodeCheckReply, decodeCheckRequest } from "./check.ts";
import { decodeTrafficUpdate } from "./discovery.ts";
import { decodePolicyState } from "./policy-state.ts";
import { decodeAllocateReply, decodeAllocateRequest } from "./quota.ts";
import { decodeReportRequest } from "./report.ts";

interface MessageCase {
  readonly decode: (body: unknown) => unknown;
  readonly code: "PURSER_REQUEST_INVALID" | "PURSER_MIXER_UNAVAILABLE" | "PURSER_PILOT_UNAVAILABLE";
  /** Whether the receiver refuses unknown fields. */
  readonly closed: boolean;
  /** A message with every field. */
  readonly whole: object;
  /** Paths of optional fields, with an asterisk for an index. */
  readonly optional: readonly string[];
  /** Paths of bags: objects in which any JSON is allowed. */
  readonly bags?: readonly string[];
  /** Paths of maps: objects with arbitrary names, but not arbitrary values. */
  readonly maps?: readonly string[];
}

const CHECK_REQUEST: Required<CheckRequest> = {
  attributes: { request: { path: "/", headers: { "x-user": "ann" } } },
  deduplicationId: "edge/1",
  useWithinMs: 20,
  withoutQuotas: false,
  applyBeyond: true,
  explain: true,
};

const TRACE: TraceNode = {
  text: "a = 1",
  start: 0,
  end: 5,
  kind: "=",
  values: ["true"],
  count: 1,
  skipped: true,
  failed: true,
  decides: true,
  children: [{ text: "a", start: 0, end: 1, kind: "path", values: [], count: 1, children: [] }],
};

const EXPLAINED_CHARGE = {
  policy: "q",
  cell: "q{}",
  limit: 1,
  windowMs: 1,
  amount: 1,
  mode: "enforce",
} as const;

const EXPLANATION: Explanation = {
  nowMs: 1,
  decision: {
    status: { code: "PERMISSION_DENIED", message: "no" },
    httpStatus: 403,
    reason: { kind: "policy" },
    decidedBy: { kind: "AccessPolicy", name: "guard" },
    requestHeaders: [],
    responseHeaders: [{ operation: "set", name: "x-a", value: "b" }],
    shadowDenials: [{ kind: "AccessPolicy", name: "other" }],
    audits: [],
    charges: [
      {
        ...EXPLAINED_CHARGE,
        beyond: [
          { kind: "queue", atMostMs: 500, length: 100 },
          { kind: "draw", charge: EXPLAINED_CHARGE },
          { kind: "degrade", headers: [{ name: "x-tier", value: "economy" }] },
        ],
      },
    ],
  },
  documents: [
    {
      kind: "AccessPolicy",
      name: "guard",
      location: { file: "a.yaml", line: 1, column: 1 },
      action: "DENY",
      mode: "enforce",
      outcome: "refused",
      decides: true,
      faults: [{ code: "PURSER_EXPR_EVALUATION", detail: "T2001" }],
      expressions: [{ field: "when", source: "a = 1", value: "true", error: "none", trace: TRACE }],
      unasked: ["handler"],
    },
  ],
  omittedDocuments: 3,
  refusedAttributes: [{ handler: "geo", name: "source.country", reason: "type", detail: "not a STRING" }],
  unaskedHandlers: [{ handler: "handler", reason: "it is an adapter" }],
};

const OUTCOME = {
  policy: "q",
  cell: "q{}",
  granted: -1,
  remaining: 2,
  resetMs: 3.5,
  retryAfterMs: 0,
  validForMs: 4,
  slot: 5,
  failure: { code: "PURSER_STORE_UNAVAILABLE", applied: "local" },
  blocked: true,
} as const;

const CHECK_REPLY: CheckReply = {
  version: "v1",
  decision: {
    status: { code: "INTERNAL", message: "m" },
    reason: { kind: "error", code: "PURSER_EXPR_EVALUATION", detail: "d" },
    decidedBy: { kind: "AccessPolicy", name: "guard" },
    requestHeaders: [{ operation: "remove", name: "x-a", value: "" }],
    responseHeaders: [{ operation: "append", name: "x-b", value: "c" }],
    directResponse: { httpStatus: 418, headers: { "x-tea": "pot" }, body: "" },
    validDurationMs: 10_000,
    validUseCount: 10,
    referenced: [{ path: ["request", "path"], condition: "EXACT" }],
    shadowDenials: [{ kind: "AccessPolicy", name: "shadow" }],
    audits: [{ kind: "AccessPolicy", name: "audit" }],
    charges: [
      {
        policy: "q",
        algorithm: "fixed-window",
        cell: "q{}",
        limit: 10,
        windowMs: 60_000,
        align: "first-use",
        period: { every: "month", timeZone: "UTC", startsOn: "sunday", dayOfMonth: 31 },
        amount: 1,
        leaseMs: 1_000,
        mode: "shadow",
        onStoreFailure: "local",
        giveBackOn: "failure",
        message: "used up",
        beyond: [
          { kind: "queue", atMostMs: 500, length: 100 },
          {
            kind: "draw",
            charge: {
              policy: "credit",
              algorithm: "fixed-window",
              cell: "credit{}",
              limit: 5,
              windowMs: 1_000,
              amount: 1,
              leaseMs: 0,
              mode: "enforce",
              onStoreFailure: "deny",
              giveBackOn: "failure",
              message: "used up",
            },
          },
          { kind: "degrade", headers: [{ name: "x-tier", value: "economy" }] },
        ],
      },
    ],
  },
  quotas: [OUTCOME],
  explanation: EXPLANATION,
};

const ALLOCATE_REQUEST: AllocateRequest = {
  version: "v1",
  deduplicationId: "edge/2",
  charges: [{ policy: "q", cell: "q{}", limit: 1, leaseMs: 0, amount: -1, bestEffort: true, slot: -2 }],
};

const GRANTED: AllocateReply = {
  kind: "granted",
  quotas: [OUTCOME],
  stale: { version: "v2", charges: [0] },
};

const REPORT: Required<ReportRequest> = { bags: [{ a: { b: [1, null, "c"] } }], deduplicationId: "r1" };

const POLICY_STATE: PolicyState = {
  version: "v1",
  proxies: 2,
  policies: [
    {
      kind: "AccessPolicy",
      name: "guard",
      spec: {
        match: "true",
        action: "DENY",
        when: "true",
        status: { code: "NOT_FOUND", message: "'no'" },
        headers: {
          request: { set: { "x-a": "1" }, append: { "x-b": "2" }, remove: ["x-c"] },
          response: { set: { "x-a": "1" }, append: { "x-b": "2" }, remove: ["x-c"] },
        },
        directResponse: { code: 418, body: "'tea'", headers: { "x-tea": "pot" } },
        mode: "enforce",
        onError: "allow",
        validDuration: "1m",
        validUseCount: 2,
      },
    },
    {
      kind: "QuotaPolicy",
      name: "q",
      spec: {
        match: "true",
        key: { user: "request.user", fixed: 1 },
        limit: 10,
        window: "60s",
        period: { every: "month", timeZone: "UTC", startsOn: "sunday", dayOfMonth: 31 },
        algorithm: "fixed-window",
        align: "first-use",
        charge: 1,
        overrides: [{ when: "true", limit: 1 }],
        store: "redis",
        onStoreFailure: "local",
        giveBackOn: "failure",
        lease: "1s",
        status: { message: "'no'" },
        mode: "enforce",
        onError: "allow",
      },
    },
    {
      kind: "Rule",
      name: "r",
      spec: {
        match: "true",
        instances: [
          { name: "i", template: "listentry", params: { value: "request.user", map: { a: true } } },
        ],
        actions: [{ handler: "list", instances: ["i"] }],
        mode: "enforce",
        onError: "deny",
      },
    },
  ],
};

const HEADER_CHANGES = ["request", "response"].map((side) => `policies[*].spec.headers.${side}`);

const OPTIONAL_FIELDS =
  "match when status status.code status.message headers directResponse directResponse.body directResponse.headers " +
  "mode onError validDuration validUseCount key algorithm charge overrides store onStoreFailure giveBackOn lease " +
  "window align period period.timeZone period.startsOn period.dayOfMonth instances[*].params";

const OPTIONAL_IN_SPECS = [
  ...HEADER_CHANGES.flatMap((side) => [side, `${side}.set`, `${side}.append`, `${side}.remove`]),
  ...OPTIONAL_FIELDS.split(" ").map((field) => `policies[*].spec.${field}`),
];

const MAPS_IN_SPECS = [
  ...HEADER_CHANGES.flatMap((side) => [`${side}.set`, `${side}.append`]),
  ...["directResponse.headers", "key", "instances[*].params", "instances[*].params.map"].map(
    (field) => `policies[*].spec.${field}`,
  ),
];

const OPERATIONS = { set: { "x-a": "1" }, add: { "x-b": "2" }, remove: ["x-c"] };

const ROUTE = { name: "r", matches: [], requestHeaders: OPERATIONS, responseHeaders: OPERATIONS } as const;

const TRAFFIC_UPDATE: Required<TrafficUpdate> = {
  clusters: {
    version: "c1",
    resources: [
      {
        name: "outbound|80|v1|reviews",
        service: { host: "reviews", name: "reviews", namespace: "default" },
        subset: "v1",
        loadBalancer: { kind: "least-request" },
        connectTimeoutMs: 10_000,
        maxRequests: 1_024,
        maxRetries: 3,
        retryBudget: { percent: 20, minRetryConcurrency: 3 },
        maxConnectionsPerEndpoint: 1_024,
        maxPendingRequestsPerEndpoint: 1_024,
        maxRequestsPerConnection: 0,
        maxConnectionDurationMs: 0,
        connectionIdleTimeoutMs: 3_600_000,
        tcpKeepaliveTimeMs: 0,
        protocol: "http2",
        tls: {
          credential: { credentialName: "reviews", certificateFile: "tls.crt", privateKeyFile: "tls.key" },
          serverName: "reviews",
          subjectAltNames: ["reviews"],
          skipsVerification: false,
        },
        healthCheck: {
          probe: {
            kind: "http",
            method: "GET",
            path: "/healthz",
            host: "reviews",
            headers: { "x-check": "1" },
            expectedStatuses: [{ start: 200, end: 300 }],
          },
          intervalMs: 1_000,
          noTrafficIntervalMs: 60_000,
          timeoutMs: 500,
          unhealthyThreshold: 2,
          healthyThreshold: 1,
          initialJitterMs: 0,
        },
        outlierDetection: {
          consecutive5xxErrors: 5,
          consecutiveGatewayErrors: 0,
          splitExternalLocalOriginErrors: false,
          consecutiveLocalOriginFailures: 5,
          intervalMs: 10_000,
          baseEjectionMs: 30_000,
          maxEjectionPercent: 10,
          minHealthPercent: 0,
        },
      },
    ],
  },
  endpoints: {
    version: "e1",
    resources: [
      {
        name: "outbound|80|v1|reviews",
        endpoints: [
          { address: "127.0.0.1", port: 9_080, weight: 1, labels: { version: "v1" }, workload: "reviews-v1" },
        ],
        checkedByDestination: true,
      },
    ],
  },
  listeners: {
    version: "l1",
    resources: [
      {
        name: "edge",
        host: "127.0.0.1",
        port: 8_080,
        direction: "outbound",
        routeTable: "http.8080",
        edge: true,
        trustedHops: 1,
        pathNormalization: "MERGE_SLASHES",
        limits: {
          maxConnections: 500,
          maxHeaderBytes: 8_192,
          headersTimeoutMs: 5_000,
          handshakeTimeoutMs: 5_000,
          maxHandshakes: 100,
          requestTimeoutMs: 30_000,
          connectionIdleMs: 60_000,
          streamIdleMs: 20_000,
          drainGraceMs: 0,
          memoryLimitBytes: 536_870_912,
        },
        tlsServers: [
          {
            name: "https.8080.0.shop.default",
            serverNames: ["shop.example.com"],
            routeTable: "https.8080.0.shop.default",
            mode: "mutual",
            credential: {
              certificateFile: "shop.crt",
              privateKeyFile: "shop.key",
              authoritiesFile: "ca.crt",
            },
            minVersion: "TLSv1.2",
            maxVersion: "TLSv1.3",
            cipherSuites: ["ECDHE-ECDSA-AES128-GCM-SHA256"],
          },
        ],
      },
    ],
  },
  routes: {
    version: "r1",
    resources: [
      {
        name: "http.8080",
        virtualHosts: [
          {
            name: "shop",
            domains: ["*"],
            routes: [
              {
                ...ROUTE,
                matches: [
                  {
                    path: { kind: "prefix", value: "/" },
                    ignoreCase: false,
                    method: { kind: "exact", value: "GET" },
                    headers: { "x-a": { kind: "present" } },
                    withoutHeaders: { "x-b": { kind: "regex", value: "b+" } },
                    queryParams: { debug: { kind: "exact", value: "true" } },
                  },
                ],
                action: {
                  kind: "forward",
                  destinations: [
                    {
                      cluster: "outbound|80|v1|reviews",
                      weight: 1,
                      requestHeaders: OPERATIONS,
                      responseHeaders: OPERATIONS,
                    },
                  ],
                  rewrite: { path: { kind: "whole", value: "/v1" }, authority: "reviews" },
                  timeoutMs: 0,
                  retry: {
                    retries: 2,
                    on: ["connect-failure"],
                    onStatuses: [503],
                    idempotentOnly: true,
                    perTryTimeoutMs: 0,
                    backoffBaseMs: 25,
                    backoffMaxMs: 250,
                  },
                },
                fault: { delay: { delayMs: 1, percentage: 0.5 }, abort: { status: 503, percentage: 100 } },
              },
              {
                ...ROUTE,
                action: {
                  kind: "redirect",
                  code: 301,
                  scheme: "https",
                  authority: "a",
                  port: 443,
                  path: "/",
                },
              },
              { ...ROUTE, action: { kind: "direct", status: 200, body: "ok", contentType: "text/plain" } },
            ],
          },
        ],
      },
    ],
  },
};

const IN_ROUTES = "routes.resources[*].virtualHosts[*].routes[*]";

const inCredential = (place: string): readonly string[] =>
  ["credentialName", "certificateFile", "privateKeyFile", "authoritiesFile"].map(
    (field) => `${place}.credential.${field}`,
  );

const OPTIONAL_IN_ROUTES = [
  "matches[*].path",
  "matches[*].method",
  "fault",
  "fault.delay",
  "fault.abort",
  ...["rewrite", "rewrite.path", "rewrite.authority"].map((field) => `action.${field}`),
  ...["scheme", "authority", "port", "path"].map((field) => `action.${field}`),
].map((field) => `${IN_ROUTES}.${field}`);

const MAPS_IN_ROUTES = [
  ...["headers", "withoutHeaders", "queryParams"].map((field) => `matches[*].${field}`),
  ...["requestHeaders", "responseHeaders"].flatMap((side) =>
    [side, `action.destinations[*].${side}`].flatMap((place) => [`${place}.set`, `${place}.add`]),
  ),
].map((field) => `${IN_ROUTES}.${field}`);

const request = { code: "PURSER_REQUEST_INVALID", closed: true } as const;
const reply = { code: "PURSER_MIXER_UNAVAILABLE", closed: false } as const;

const MESSAGES: Readonly<Record<string, MessageCase>> = {
  "check request": {
    ...request,
    decode: decodeCheckRequest,
    whole: CHECK_REQUEST,
    optional: ["useWithinMs", "withoutQuotas", "applyBeyond", "explain"],
    bags: ["attributes"],
  },
  "check reply": {
    ...reply,
    decode: (body) => decodeCheckReply(body, {}),
    whole: CHECK_REPLY,
    optional: [
      "decision.reason",
      "decision.decidedBy",
      "decision.requestHeaders[*].value",
      "decision.responseHeaders[*].value",
      "decision.directResponse",
      "decision.charges[*].giveBackOn",
      "decision.charges[*].align",
      "decision.charges[*].period",
      "decision.charges[*].period.startsOn",
      "decision.charges[*].period.dayOfMonth",
      "decision.charges[*].beyond",
      "decision.charges[*].beyond[*].charge.giveBackOn",
      "quotas[*].failure",
      "quotas[*].blocked",
      "explanation",
      "explanation.omittedDocuments",
      "explanation.refusedAttributes",
      "explanation.unaskedHandlers",
      "explanation.decision.reason",
      "explanation.decision.decidedBy",
      "explanation.decision.charges[*].beyond",
      "explanation.decision.responseHeaders[*].value",
      "explanation.documents[*].action",
      "explanation.documents[*].decides",
      "explanation.documents[*].unasked",
      "explanation.documents[*].expressions[*].value",
      "explanation.documents[*].expressions[*].error",
      "explanation.documents[*].expressions[*].trace.skipped",
      "explanation.documents[*].expressions[*].trace.failed",
      "explanation.documents[*].expressions[*].trace.decides",
    ],
    maps: ["decision.directResponse.headers"],
  },
  "quota request": {
    ...request,
    decode: decodeAllocateRequest,
    whole: ALLOCATE_REQUEST,
    optional: ["charges[*].slot"],
  },
  "quota reply": {
    ...reply,
    decode: (body) => decodeAllocateReply(body, ALLOCATE_REQUEST),
    whole: GRANTED,
    optional: ["quotas[*].failure", "quotas[*].blocked", "stale"],
  },
  "quota reply that is stale": {
    ...reply,
    decode: (body) => decodeAllocateReply(body, ALLOCATE_REQUEST),
    whole: { kind: "stale", version: "v2" },
    optional: [],
  },
  "report request": {
    ...request,
    decode: decodeReportRequest,
    whole: REPORT,
    optional: ["deduplicationId"],
    bags: ["bags[*]"],
  },
  "policy state": {
    ...reply,
    decode: decodePolicyState,
    whole: POLICY_STATE,
    optional: OPTIONAL_IN_SPECS,
    maps: MAPS_IN_SPECS,
  },
  "traffic update": {
    code: "PURSER_PILOT_UNAVAILABLE",
    closed: false,
    decode: decodeTrafficUpdate,
    whole: TRAFFIC_UPDATE,
    optional: [
      "clusters",
      "endpoints",
      "listeners",
      "routes",
      ...[
        "subset",
        "protocol",
        "tls",
        ...inCredential("tls"),
        "retryBudget",
        "healthCheck",
        "outlierDetection",
      ].map((field) => `clusters.resources[*].${field}`),
      "endpoints.resources[*].endpoints[*].workload",
      ...["protocol", "tlsServers", ...inCredential("tlsServers[*]")].map(
        (field) => `listeners.resources[*].${field}`,
      ),
      ...OPTIONAL_IN_ROUTES,
    ],
    maps: [
      "clusters.resources[*].healthCheck.probe.headers",
      "endpoints.resources[*].endpoints[*].labels",
      ...MAPS_IN_ROUTES,
    ],
  },
};

/** Every path into a value, as its steps. */
function* placesIn(
  value: unknown,
  steps: readonly (string | number)[] = [],
): Generator<readonly (string | number)[]> {
  if (steps.length > 0) yield steps;
  if (typeof value !== "object" || value === null) return;
  const entries = Array.isArray(value) ? value.entries() : Object.entries(value);
  for (const [step, member] of entries) yield* placesIn(member, [...steps, step]);
}

/** `charges[0].limit`, or `charges[*].limit` with an asterisk for each index. */
function nameOf(steps: readonly (string | number)[], index?: "*"): string {
  return steps
    .map((step) => (typeof step === "number" ? `[${index ?? step}]` : `.${step}`))
    .join("")
    .replace(/^\./, "");
}

const ABSENT = Symbol("absent");

/** A copy with another value at a path, or without a value there. */
function changed(value: unknown, [step, ...rest]: readonly (string | number)[], to: unknown): unknown {
  if (step === undefined) return to;
  if (Array.isArray(value)) return value.map((item, at) => (at === step ? changed(item, rest, to) : item));
  const copy: Record<string, unknown> = { ...(value as object) };
  if (rest.length === 0 && to === ABSENT) delete copy[step];
  else copy[step] = changed(copy[step], rest, to);
  return copy;
}

function faultOf({ decode, code }: MessageCase, body: unknown): string | undefined {
  try {
    decode(JSON.parse(JSON.stringify(body)));
    return undefined;
  } catch (error) {
    assert.ok(isPurserError(error), String(error));
    assert.equal(error.code, code);
    return error.message.replace(
      /^(the mixer's answer to .*|pilot's answer) is not of the documented form: /,
      "",
    );
  }
}

describe("the messages of mixer and pilot in JSON", () => {
  for (const [name, message] of Object.entries(MESSAGES)) {
    const { decode, whole, closed, optional, bags = [], maps = [], code } = message;
    const isIn = (places: readonly string[], steps: readonly (string | number)[]) =>
      places.some((place) => nameOf(steps, "*").startsWith(`${place}.`));

    describe(`a ${name}`, () => {
      it("survives encoding and decoding, with and without each optional field", () => {
        assert.deepEqual(decode(JSON.parse(JSON.stringify(whole))), whole);
        for (const steps of placesIn(whole)) {
          if (!optional.includes(nameOf(steps, "*"))) continue;
          const without = changed(whole, steps, ABSENT);
          assert.deepEqual(decode(JSON.parse(JSON.stringify(without))), without, nameOf(steps));
        }
      });

      it("is refused without a required field, with the field's path", () => {
        for (const steps of placesIn(whole)) {
          const last = steps.at(-1);
          if (typeof last === "number" || optional.includes(nameOf(steps, "*"))) continue;
          if (isIn([...bags, ...maps], steps)) continue;
          const parent = nameOf(steps.slice(0, -1)) || "the body";
          assert.equal(
            faultOf(message, changed(whole, steps, ABSENT)),
            `${parent} must have the property ${last}`,
          );
        }
      });

      it("is refused with a value of another type anywhere, with the value's path", () => {
        for (const steps of placesIn(whole)) {
          if (isIn(bags, steps)) continue;
          for (const other of [null, { x: 1 }, [[]], "", 1.5, -7, true]) {
            const body = changed(whole, steps, other);
            const fault = faultOf(message, body);
            if (fault !== undefined)
              assert.ok(fault.startsWith(`${nameOf(steps)}`), `${nameOf(steps)}: ${fault}`);
          }
          assert.notEqual(faultOf(message, changed(whole, steps, null)), undefined, nameOf(steps));
        }
      });

      it(`${closed ? "refuses" : "accepts"} an unknown field`, () => {
        for (const steps of [[], ...placesIn(whole)]) {
          const at = steps.reduce<unknown>((value, step) => (value as Record<string, unknown>)[step], whole);
          const place = nameOf(steps, "*");
          if (typeof at !== "object" || at === null || Array.isArray(at)) continue;
          if ([...bags, ...maps].includes(place) || isIn(bags, steps)) continue;
          const fault = faultOf(message, changed(whole, [...steps, "later"], 1));
          const parent = nameOf(steps) || "the body";
          assert.equal(fault, closed ? `${parent} must not have the property later` : undefined);
        }
      });

      it("throws no other error than the coded one, for any JSON", () => {
        const places = [...placesIn(whole)];
        const mutation = fc
          .tuple(fc.constantFrom(...places), fc.oneof(fc.jsonValue(), fc.constant(ABSENT)))
          .map(([steps, to]) => changed(whole, steps, to));
        fc.assert(
          fc.property(fc.oneof(fc.jsonValue(), mutation), (body) => {
            const fault = faultOf(message, body ?? null);
            assert.ok(fault === undefined || fault.length < 400, fault);
          }),
          { numRuns: 300 },
        );
        const deep = JSON.parse(`${'{"children":['.repeat(20_000)}${"]}".repeat(20_000)}`) as unknown;
        for (const steps of places) {
          try {
            decode(changed(whole, steps, deep));
          } catch (error) {
            assert.ok(isPurserError(error) && error.code === code, String(error));
          }
        }
      });
    });
  }

  it("refuses a check reply with a charge without an outcome, unless nothing was to be charged", () => {
    const without = { ...CHECK_REPLY, quotas: [] };
    assert.throws(() => decodeCheckReply(without, {}), /quotas must have 1 items, and has 0/);
    assert.deepEqual(decodeCheckReply(without, { withoutQuotas: true }), without);
  });

  it("refuses an allocate reply without exactly one outcome for each charge", () => {
    assert.throws(
      () => decodeAllocateReply({ ...GRANTED, quotas: [] }, ALLOCATE_REQUEST),
      /quotas must have 1 items, and has 0/,
    );
  });
});
