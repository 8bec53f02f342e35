// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { TemplateName } from "../../../core/templates/template-names.ts";
import type { QuotaRequest } from "../../../core/quota/quota.ts";
import type {
  AuthorizationInstance,
  DecisionInstance,
  LogEntryInstance,
  MetricInstance,
  TraceSpanInstance,
} from "../../../core/templates/instances.ts";

/** 2026-01-01T00:00:00Z, the start of virtual time. */
export const SAMPLE_MS = Date.UTC(2026, 0, 1);

export function metricInstance(changes: Partial<MetricInstance> = {}): MetricInstance {
  return {
    name: "requests_total",
    type: "counter",
    value: 1,
    labels: { source: "storefront", destination: "reviews", code: "200" },
    timestampMs: SAMPLE_MS,
    ...changes,
  };
}

export function logEntryInstance(changes: Partial<LogEntryInstance> = {}): LogEntryInstance {
  return {
    name: "access-log",
    severity: "INFO",
    timestampMs: SAMPLE_MS,
    variables: { method: "GET", path: "/reviews/0", code: 200 },
    ...changes,
  };
}

export function traceSpanInstance(changes: Partial<TraceSpanInstance> = {}): TraceSpanInstance {
  return {
    name: "spans",
    spanName: "GET /reviews",
    traceId: "0af7651916cd43dd8448eb211c80319c",
    spanId: "b7ad6b7169203331",
    parentSpanId: undefined,
    clientSpan: false,
    startMs: SAMPLE_MS,
    endMs: SAMPLE_MS + 12,
    httpStatusCode: 200,
    tags: { "http.request.method": "GET" },
    ...changes,
  };
}

export function decisionInstance(changes: Partial<DecisionInstance> = {}): DecisionInstance {
  return {
    name: "decisions",
    timestampMs: SAMPLE_MS,
    snapshot: "v1",
    bag: {
      request: { id: "a1b2", method: "GET", url_path: "/reviews/0", headers: { "x-user": "ada" } },
      response: { code: 200 },
      check: { cache_hit: false },
    },
    decision: {
      checked: true,
      allowed: true,
      code: "OK",
      shadowDenials: [],
      audits: [],
      cacheHit: false,
      httpStatus: 200,
    },
    ...changes,
  };
}

/** The window is a day, so that a check in real time hardly ever meets the end of one. */
export function quotaRequest(changes: Partial<QuotaRequest> = {}): QuotaRequest {
  return {
    cell: "reviews-per-user|ada",
    algorithm: "fixed-window",
    limit: 10,
    windowMs: 86_400_000,
    amount: 1,
    bestEffort: false,
    leaseMs: 0,
    ...changes,
  };
}

export const AUTHORIZATION: AuthorizationInstance = {
  name: "who-does-what",
  subject: { user: "ada", properties: {} },
  action: { service: "reviews", method: "GET", path: "/reviews/0", properties: {} },
};

/** One ordinary argument for each template: an instance, or a batch for report templates and quotas. */
export function sampleInstances(): Readonly<Record<TemplateName, unknown>> {
  return {
    listentry: { name: "client", value: "203.0.113.9" },
    checknothing: { name: "nothing" },
    headers: { name: "headers", values: { user: "ada" } },
    authorization: AUTHORIZATION,
    quota: [quotaRequest()],
    metric: [metricInstance()],
    logentry: [logEntryInstance()],
    tracespan: [traceSpanInstance()],
    decision: [decisionInstance()],
  };
}
