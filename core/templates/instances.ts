// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { AttributeBag } from "../attributes/bag.ts";
import type { StatusCode } from "../../kernel/status.ts";

/**
 * The templates' instances: what a handler receives, already filled from a bag. Names follow Mixer's templates
 * (istio/istio mixer/template), fields follow them where they carry meaning here.
 */

/** Template `listentry`: is this value in the list? */
export interface ListEntryInstance {
  readonly name: string;
  readonly value: string | undefined;
}

/** Template `checknothing`: nothing to look at; the handler answers always the same. */
export interface CheckNothingInstance {
  readonly name: string;
}

/** Template `headers`: named values that header operations are made from. */
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
  /** Upper bounds, rising; for histograms. */
  readonly buckets?: readonly number[];
  readonly unit?: string;
  readonly help?: string;
  readonly timestampMs: number;
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

/** Template `decision`: all that is known of one finished request, and what was decided about it. */
export interface DecisionInstance {
  readonly name: string;
  /** When the request ended. */
  readonly timestampMs: number;
  /** The version of the documents in force when it was reported, where known. */
  readonly snapshot?: string;
  /** The complete bag, as it was reported. Frozen or not, it is shared: do not change it. */
  readonly bag: AttributeBag;
  readonly decision: ReportedDecision;
}

/** What the complete bag of a request says of its decision. Documents are written `Kind/name`. */
export interface ReportedDecision {
  /** False when the reporting proxy asked no policy: one nearer to the destination did, or no route was found. */
  readonly checked: boolean;
  readonly allowed: boolean;
  readonly code: StatusCode;
  /** The document that refused. */
  readonly policy?: string;
  /** What the client was told. */
  readonly message?: string;
  /** Documents in shadow mode that would have refused. */
  readonly shadowDenials: readonly string[];
  /** AUDIT policies that were true. */
  readonly audits: readonly string[];
  /** Whether the proxy knew the decision already. */
  readonly cacheHit?: boolean;
  /** Whether the proxy had leases enough for all quotas. */
  readonly quotaCacheHit?: boolean;
  /** The HTTP status that the client got. */
  readonly httpStatus?: number;
}

/** What a handler of a check template answers. */
export interface CheckAnswer {
  readonly status: { readonly code: StatusCode; readonly message: string };
  /** How long, in milliseconds, the answer holds for the same instance; default 10000, 0 for never again. */
  readonly validDurationMs?: number;
  /** How often it may be reused; default 10000. */
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

/** An answer in place of the upstream's. */
export interface DirectResponse {
  readonly httpStatus: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** What there is to tell, by template. */
export type ReportInstance =
  | { readonly template: "metric"; readonly instance: MetricInstance }
  | { readonly template: "logentry"; readonly instance: LogEntryInstance }
  | { readonly template: "tracespan"; readonly instance: TraceSpanInstance }
  | { readonly template: "decision"; readonly instance: DecisionInstance };
