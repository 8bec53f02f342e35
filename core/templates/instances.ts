// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { AttributeBag } from "../attributes/bag.ts";
import type { StatusCode } from "../../kernel/status.ts";

/**
 * Instances of templates: the arguments of handlers, filled from a bag. Names follow Mixer's templates
 * (istio/istio mixer/template); fields follow them where they have a meaning here.
 */

/** Template `listentry`: is this value in the list? */
export interface ListEntryInstance {
  readonly name: string;
  readonly value: string | undefined;
}

/** Template `checknothing`: no input; the handler always gives the same answer. */
export interface CheckNothingInstance {
  readonly name: string;
}

/** Template `headers`: named values for header operations. */
export interface HeadersInstance {
  readonly name: string;
  readonly values: Readonly<Record<string, string | undefined>>;
}

/** Template `authorization`: who does what. */
export interface AuthorizationInstance {
  readonly name: string;
  readonly subject: {
    readonly user?: string;
    readonly groups?: string;
    readonly properties: Readonly<Record<string, unknown>>;
  };
  readonly action: {
    readonly namespace?: string;
    readonly service?: string;
    readonly method?: string;
    readonly path?: string;
    readonly properties: Readonly<Record<string, unknown>>;
  };
}

export type MetricType = "counter" | "gauge" | "histogram";

/** Template `metric`: one measured value. */
export interface MetricInstance {
  /** The Metric document's name; unique within a handler. */
  readonly name: string;
  readonly type: MetricType;
  readonly value: number;
  /** In the document's order; always the same keys for one name. */
  readonly labels: Readonly<Record<string, string>>;
  /** Upper bounds, ascending; for histograms. */
  readonly buckets?: readonly number[];
  readonly unit?: string;
  readonly help?: string;
  readonly timestampMs: number;
  /** The request's span, when its trace is sampled: lower-case hex as W3C Trace Context writes them. */
  readonly exemplar?: { readonly traceId: string; readonly spanId: string };
}

export const SEVERITIES = ["DEBUG", "INFO", "WARNING", "ERROR"] as const;
export type Severity = (typeof SEVERITIES)[number];

/** Template `logentry`: one record. */
export interface LogEntryInstance {
  readonly name: string;
  readonly severity: Severity;
  readonly timestampMs: number;
  readonly variables: Readonly<Record<string, unknown>>;
}

/** Template `tracespan`: one span of a trace, ids in lower-case hex as W3C Trace Context writes them. */
export interface TraceSpanInstance {
  readonly name: string;
  readonly spanName: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | undefined;
  /** Whether the reporting proxy was on the client's side of the call. */
  readonly clientSpan: boolean;
  readonly startMs: number;
  readonly endMs: number;
  readonly httpStatusCode: number | undefined;
  readonly tags: Readonly<Record<string, unknown>>;
}

/** Template `decision`: everything known about one finished request, with its decision. */
export interface DecisionInstance {
  readonly name: string;
  /** When the request ended. */
  readonly timestampMs: number;
  /** The version of the documents in force when the request was reported, if known. */
  readonly snapshot?: string;
  /** The complete bag as reported. It is shared, frozen or not: do not change it. */
  readonly bag: AttributeBag;
  readonly decision: ReportedDecision;
}

/** The decision about a finished request, from its complete bag. Documents are written `Kind/name`. */
export interface ReportedDecision {
  /**
   * False when the reporting proxy asked no policy: a proxy nearer to the destination did, or no route was
   * found.
   */
  readonly checked: boolean;
  readonly allowed: boolean;
  readonly code: StatusCode;
  /** The document that refused. */
  readonly policy?: string;
  /** The message to the client. */
  readonly message?: string;
  /** Documents in shadow mode that would have refused. */
  readonly shadowDenials: readonly string[];
  /** AUDIT policies that were true. */
  readonly audits: readonly string[];
  /** Whether the decision came from the proxy's cache. */
  readonly cacheHit?: boolean;
  /** Whether the proxy's leases covered all quotas. */
  readonly quotaCacheHit?: boolean;
  /** How the quotas were counted: `exact`, `leased`, `local` or `allowed-uncounted`; absent without quotas. */
  readonly quotaState?: string;
  /** Steps that the request took beyond a quota's limit, as `quota.beyond` has them; absent: none. */
  readonly beyond?: readonly string[];
  /** The HTTP status sent to the client. */
  readonly httpStatus?: number;
}

/** A handler's answer to an instance of a check template. */
export interface CheckAnswer {
  readonly status: { readonly code: StatusCode; readonly message: string };
  /**
   * How long the answer is valid for the same instance, in milliseconds; default 10000, 0 for never cached.
   */
  readonly validDurationMs?: number;
  /** How often the answer may be reused; default 10000. */
  readonly validUseCount?: number;
  readonly headers?: HeaderChanges;
  readonly directResponse?: DirectResponse;
}

export interface HeaderOperation {
  readonly operation: "set" | "append" | "remove";
  /** Lower case. */
  readonly name: string;
  /** Absent for `remove`. */
  readonly value?: string;
}

export interface HeaderChanges {
  readonly request?: readonly HeaderOperation[];
  readonly response?: readonly HeaderOperation[];
}

/** A reply in place of the upstream's. */
export interface DirectResponse {
  readonly httpStatus: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Instances of report templates. */
export type ReportInstance =
  | { readonly template: "metric"; readonly instance: MetricInstance }
  | { readonly template: "logentry"; readonly instance: LogEntryInstance }
  | { readonly template: "tracespan"; readonly instance: TraceSpanInstance }
  | { readonly template: "decision"; readonly instance: DecisionInstance };
