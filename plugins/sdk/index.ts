// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/**
 * `purser/sdk`: everything that an author of a plugin or an adapter imports; the bundled extensions use it
 * too. See docs/guides/adapters.md and docs/guides/plugins.md. `purser/sdk/testing` has fakes and contract suites.
 */

export { type AdapterDraft, defineAdapter, definePlugin, type PluginDraft } from "./define.ts";

// Configuration schemas.
export { default as Type, type Static, type TSchema } from "typebox";
export { Choice, Closed, Duration } from "../../core/documents/kinds/fields.ts";
export { MapOf } from "../../core/documents/kinds/map-of.ts";
export { SecretField } from "../../core/hooks/secrets.ts";
export { formatDurationMs, parseDurationMs } from "../../kernel/duration.ts";
export { durationMs } from "./duration.ts";

// Extension definitions, and the context that extensions receive.
export type { AbortSignalLike, CallContext } from "../../kernel/deadline.ts";
export { within } from "./within.ts";
export type {
  AdapterDefinition,
  AdapterHandler,
  ConfigFault,
  Extension,
  ExtensionContext,
  ExtensionInventory,
  Files,
  PartialFailure,
  PluginDefinition,
  PluginHandler,
  RefusedInstance,
  ReportOutcome,
} from "../../core/hooks/extension.ts";
export type { HttpClient, HttpRequest, HttpResponse } from "../../core/hooks/http-client.ts";
export { httpFailure } from "./http/failure.ts";
export {
  endpointUrl,
  HTTP_ACCESS,
  type HttpAccess,
  httpAccessFaults,
  httpAccessHeaders,
} from "./http/access.ts";
export { type ByteLimit, oversized } from "./http/byte-limit.ts";
export type { TemplateName } from "../../core/templates/template-names.ts";
export { TEMPLATE_NAMES, TEMPLATE_VARIETY } from "../../core/templates/template-names.ts";
export type { AttributeAdditions, HandlerHooks } from "../../core/hooks/hooks.ts";
export type { Cancel, Clock, LogFields, Logger, Random, Scheduler } from "../../kernel/ports.ts";

// Attributes, template instances and answers.
export {
  type AttributeBag,
  type AttributePath,
  type AttributeValue,
  valueAt,
} from "../../core/attributes/bag.ts";
export {
  type AuthorizationInstance,
  type CheckAnswer,
  type CheckNothingInstance,
  type DecisionInstance,
  type DirectResponse,
  type HeaderChanges,
  type HeaderOperation,
  type HeadersInstance,
  type ListEntryInstance,
  type LogEntryInstance,
  type MetricInstance,
  type MetricType,
  type ReportedDecision,
  SEVERITIES,
  type Severity,
  type TraceSpanInstance,
} from "../../core/templates/instances.ts";
export { headerNameFault, headerValueFault } from "../../core/attributes/header-fields.ts";
export type { DecisionLogLine } from "../../core/replay/log-line.ts";
export { createDecisionLine } from "./decision/decision-line.ts";
export { createRedaction, type Redacted, type RedactionOptions } from "./decision/redaction.ts";
export { httpStatusOf, OK, STATUS_CODES, type Status, type StatusCode } from "../../kernel/status.ts";

// Metrics that a handler exposes.
export type {
  Exemplar,
  ExposedFamily,
  ExposedHistogram,
  ExposedSeries,
  ExposedSummary,
  FamilyType,
  NativeHistogram,
  SparseBuckets,
} from "../../core/exposition/family.ts";

// Users' patterns, matched in linear time.
export { compileRe2, compileRegex, type Regex, type RegexResult } from "../../kernel/matching/regex.ts";
export { globToRegex } from "../../kernel/matching/glob.ts";
export { createAddressSet, isAddress, parseBlock } from "../../kernel/matching/ip-blocks.ts";

// Text and JSON of values in instances.
export { toJson } from "./json.ts";

// Files of lines, and the lines of reports.
export { type Appender, BatchWriter } from "./log-file/batch-writer.ts";
export { LogFile, type LogFileOptions } from "./log-file/log-file.ts";
export { createJsonRecords, type JsonRecords } from "./json-records.ts";

// Errors, and values that may be promises.
export type { ErrorCode } from "../../kernel/error-catalog.ts";
export { isPurserError, messageOf, PurserError, type PurserErrorOptions } from "../../kernel/errors.ts";
export { attempt, chain, isPromise, type MaybePromise } from "../../kernel/maybe-promise.ts";

// Quotas.
export type { AllocateOptions, QuotaGrant, QuotaRequest, QuotaStore } from "../../core/quota/quota.ts";
export {
  ADJUSTMENT_KINDS,
  type AdjustmentKind,
  type CountPage,
  type CountQuery,
  type CountReference,
  type ListedCount,
  MAX_ADJUSTMENTS,
  type QuotaAdjustment,
  type QuotaView,
  type ResetOutcome,
  type SharedAdjustments,
} from "../../core/quota/quota-view.ts";
export { adjustmentsFull } from "../../core/quota/adjustments.ts";
export type { QuotaAlgorithm, QuotaCounting } from "../../core/quota/quota-definition.ts";
export {
  createMemoryQuotaStore,
  type MemoryQuotaStatistics,
  type MemoryQuotaStore,
  type MemoryQuotaStoreOptions,
} from "../../core/quota/memory-store.ts";
export { assertQuotaRequests } from "../../core/quota/quota-request.ts";
export { DEDUPLICATION_MS } from "../../core/quota/counting/deduplication.ts";
export {
  type CounterKind,
  counterKindOf,
  countingName,
  type CountSelector,
} from "../../core/quota/counting/counter-kind.ts";
export {
  ALLOCATION_IDLE_MS,
  ALLOCATION_RETRY_MS,
  ALLOCATION_TOUCH_MS,
} from "../../core/quota/counting/allocation.ts";
export { type PeriodBounds, periodBoundsAt } from "../../core/quota/period/calendar.ts";
export type { PeriodRule } from "../../core/quota/period/period-rule.ts";

// For extensions that call a server while a request waits; reports already go through the host's circuit
// breaker.
export {
  CircuitBreaker,
  type CircuitBreakerOptions,
  type Ticket,
} from "../../kernel/circuit-breaker.ts";
