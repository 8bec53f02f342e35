// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type {
  ProtobufLogsSerializer,
  ProtobufMetricsSerializer,
  ProtobufTraceSerializer,
} from "@opentelemetry/otlp-transformer";
import type { Protocol, Signal } from "./config.ts";
import { withExemplars, withJsonExemplars } from "./metrics/exemplar-fields.ts";

/** The shapes of the OpenTelemetry SDK, which its serializers take. */
export type Span = Parameters<typeof ProtobufTraceSerializer.serializeRequest>[0][number];
export type LogRecord = Parameters<typeof ProtobufLogsSerializer.serializeRequest>[0][number];
export type ResourceMetrics = Parameters<typeof ProtobufMetricsSerializer.serializeRequest>[0];
export type MetricData = ResourceMetrics["scopeMetrics"][number]["metrics"][number];
export type Resource = Span["resource"];
export type Attributes = Span["attributes"];
export type SpanContext = ReturnType<Span["spanContext"]>;

/** The content of one request of each signal. */
export interface Payloads {
  readonly traces: readonly Span[];
  readonly logs: readonly LogRecord[];
  readonly metrics: ResourceMetrics;
}

/** The instances that a receiver refused although it accepted the request: `partial_success`. */
export interface PartialSuccess {
  readonly rejected: number;
  readonly message: string;
}

/** Encodes requests and decodes responses of one signal. */
export interface Codec<S extends Signal> {
  encode(payload: Payloads[S]): Uint8Array;
  /** @throws when the response is not of the protocol. */
  decode(response: Uint8Array): PartialSuccess;
}

export type Codecs = { readonly [S in Signal]: Codec<S> };

/** The parts of the SDK's serializers that the codecs use. */
interface Serializer {
  serializeRequest(request: never): Uint8Array | undefined;
  deserializeResponse(response: Uint8Array): unknown;
}

/** Loads the serializers, which takes some 100 ms; processes without this adapter need none of them. */
export async function loadCodecs(protocol: Protocol): Promise<Codecs> {
  const all = await import("@opentelemetry/otlp-transformer");
  const isJson = protocol === "http/json";
  const metrics = codecOf<"metrics">(
    isJson ? all.JsonMetricsSerializer : all.ProtobufMetricsSerializer,
    "rejectedDataPoints",
  );
  const complete = isJson ? withJsonExemplars : withExemplars;
  return {
    traces: codecOf(isJson ? all.JsonTraceSerializer : all.ProtobufTraceSerializer, "rejectedSpans"),
    metrics: { ...metrics, encode: (payload) => complete(metrics.encode(payload), payload) },
    logs: codecOf(isJson ? all.JsonLogsSerializer : all.ProtobufLogsSerializer, "rejectedLogRecords"),
  };
}

function codecOf<S extends Signal>(serializer: Serializer, rejectedField: string): Codec<S> {
  return {
    encode: (payload) => serializer.serializeRequest(payload as never) ?? new Uint8Array(),
    decode: (response) => partialSuccessOf(serializer.deserializeResponse(response), rejectedField),
  };
}

function partialSuccessOf(response: unknown, rejectedField: string): PartialSuccess {
  const { partialSuccess } = (response ?? {}) as { readonly partialSuccess?: Record<string, unknown> | null };
  // int64 is a text in JSON.
  const rejected = Number(partialSuccess?.[rejectedField] ?? 0);
  const message = partialSuccess?.["errorMessage"];
  return {
    rejected: Number.isFinite(rejected) && rejected > 0 ? Math.floor(rejected) : 0,
    message: typeof message === "string" ? message : "",
  };
}
