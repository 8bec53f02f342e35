// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { PurserError, type TraceSpanInstance } from "../../plugins/sdk/index.ts";
import type { ZipkinConfig } from "./config.ts";
import { endpointOf, type Endpoint } from "./endpoint.ts";
import { cut, tagsOf } from "./tags.ts";

/** A span of Zipkin's API v2 (openzipkin/zipkin-api, zipkin2-api.yaml). */
export interface ZipkinSpan {
  /** 16 or 32 digits, lower case. */
  readonly traceId: string;
  readonly id: string;
  readonly parentId?: string;
  readonly name: string;
  readonly kind: "CLIENT" | "SERVER";
  /** Microseconds since the epoch, an integer. */
  readonly timestamp?: number;
  /** Microseconds, an integer of 1 at least. */
  readonly duration?: number;
  readonly localEndpoint: Endpoint;
  readonly remoteEndpoint?: Endpoint;
  readonly tags: Readonly<Record<string, string>>;
}

const MICROSECONDS = 1000;

type EndpointConfig = Pick<
  ZipkinConfig,
  "serviceName" | "serviceTag" | "remoteServiceTag" | "remoteAddressTag"
>;

/** @throws PurserError PURSER_HANDLER_FAILED, permanent, when an id is not what Zipkin takes: it would refuse the whole request. */
export function zipkinSpan(instance: TraceSpanInstance, config: EndpointConfig): ZipkinSpan {
  const { spanName, clientSpan, startMs, endMs } = instance;
  const traceId = checkedId("trace id", instance.traceId, [16, 32]);
  const id = checkedId("span id", instance.spanId, [16]);
  const parentId =
    instance.parentSpanId === undefined
      ? undefined
      : checkedId("parent span id", instance.parentSpanId, [16]);
  const tags = tagsOf(instance);
  const tag = (name: string | undefined): string | undefined =>
    name !== undefined && Object.hasOwn(tags, name) ? tags[name] : undefined;
  const remoteEndpoint = endpointOf(tag(config.remoteServiceTag), tag(config.remoteAddressTag));
  const timestamp = microseconds(startMs);
  const duration = microseconds(endMs - startMs, 1);
  return {
    traceId,
    id,
    // Zipkin calls a span that is its own parent a loop, and cuts it too.
    ...(parentId === undefined || parentId === id ? {} : { parentId }),
    name: cut(spanName),
    kind: clientSpan ? "CLIENT" : "SERVER",
    ...(timestamp === undefined || timestamp < 1 ? {} : { timestamp }),
    ...(timestamp === undefined || duration === undefined ? {} : { duration }),
    localEndpoint: { serviceName: tag(config.serviceTag) ?? config.serviceName },
    ...(remoteEndpoint === undefined ? {} : { remoteEndpoint }),
    tags,
  };
}

/** Whole microseconds, `least` at least; undefined when they are no safe integer. */
function microseconds(ms: number, least = Number.NEGATIVE_INFINITY): number | undefined {
  const whole = Math.max(least, Math.round(ms * MICROSECONDS));
  return Number.isSafeInteger(whole) ? whole : undefined;
}

/** The id in lower case. */
function checkedId(what: string, id: string, lengths: readonly number[]): string {
  const lower = id.toLowerCase();
  if (lengths.includes(lower.length) && /^[0-9a-f]+$/.test(lower) && /[^0]/.test(lower)) return lower;
  const shown = JSON.stringify(id.slice(0, 40));
  const message = `the ${what} ${shown} is not ${lengths.join(" or ")} hexadecimal digits, with one that is not 0`;
  throw new PurserError("PURSER_HANDLER_FAILED", message, { retryable: false });
}
