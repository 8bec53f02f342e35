// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { TraceSpanInstance } from "../../../plugins/sdk/index.ts";
import { unfit } from "../parts.ts";
import { cutBytes, rfc3339, textOf } from "../text.ts";

/** Limits of a span (google/devtools/cloudtrace/v2/trace.proto). */
const MAX_NAME_BYTES = 128;
const MAX_ATTRIBUTES = 32;
const MAX_KEY_BYTES = 128;
const MAX_VALUE_BYTES = 256;

/** The attribute that Cloud Trace shows as the response's status. */
const STATUS_ATTRIBUTE = "/http/status_code";

/**
 * A span of Cloud Trace v2.
 *
 * @throws PurserError, not retryable, when the span has no valid ids or times: the service would refuse the whole batch.
 */
export function spanOf(project: string, instance: TraceSpanInstance): unknown {
  const { traceId, spanId, parentSpanId, spanName, clientSpan, startMs, endMs, httpStatusCode } = instance;
  if (!isId(traceId, 32) || !isId(spanId, 16)) throw unfit("a span has no valid trace id and span id");
  const startTime = rfc3339(startMs);
  // Two machines' clocks may differ: such a span is worth more with no duration than not at all.
  const endTime = rfc3339(Math.max(startMs, endMs));
  if (startTime === undefined || endTime === undefined) throw unfit("a span has no valid start and end");
  return {
    name: `projects/${project}/traces/${traceId}/spans/${spanId}`,
    spanId,
    ...(parentSpanId !== undefined && isId(parentSpanId, 16) ? { parentSpanId } : {}),
    displayName: truncatable(spanName, MAX_NAME_BYTES),
    startTime,
    endTime,
    spanKind: clientSpan ? "CLIENT" : "SERVER",
    // The parent is another process, or another proxy.
    sameProcessAsParentSpan: false,
    attributes: attributesOf(instance),
    ...(httpStatusCode === undefined ? {} : { status: { code: rpcCodeOf(httpStatusCode) } }),
  };
}

function attributesOf({ tags, httpStatusCode }: TraceSpanInstance): unknown {
  const attributeMap: Record<string, unknown> = {};
  if (httpStatusCode !== undefined && Number.isSafeInteger(httpStatusCode))
    attributeMap[STATUS_ATTRIBUTE] = { intValue: String(httpStatusCode) };
  let kept = Object.keys(attributeMap).length;
  let dropped = 0;
  for (const [tag, value] of Object.entries(tags)) {
    const attribute = attributeOf(value);
    if (attribute === undefined) continue;
    const key = cutBytes(tag, MAX_KEY_BYTES).text;
    if (key === "" || kept >= MAX_ATTRIBUTES || Object.hasOwn(attributeMap, key)) {
      dropped++;
      continue;
    }
    // Defines, so that a tag `__proto__` is a tag.
    Object.defineProperty(attributeMap, key, { value: attribute, enumerable: true, configurable: true });
    kept++;
  }
  return { attributeMap, ...(dropped === 0 ? {} : { droppedAttributesCount: dropped }) };
}

function attributeOf(value: unknown): unknown {
  if (value === undefined || value === null) return undefined;
  if (typeof value === "boolean") return { boolValue: value };
  if (typeof value === "number" && Number.isSafeInteger(value)) return { intValue: String(value) };
  return { stringValue: truncatable(textOf(value), MAX_VALUE_BYTES) };
}

function truncatable(text: string, maxBytes: number): unknown {
  const { text: value, lostBytes } = cutBytes(text, maxBytes);
  return { value, ...(lostBytes === 0 ? {} : { truncatedByteCount: lostBytes }) };
}

function isId(id: string, digits: number): boolean {
  return id.length === digits && /^[0-9a-f]+$/.test(id) && !/^0+$/.test(id);
}

/** The google.rpc.Code of an HTTP status, as google/rpc/code.proto maps them. */
function rpcCodeOf(status: number): number {
  if (status < 400) return 0;
  return RPC_CODES.get(status) ?? (status < 500 ? 9 : 13);
}

const RPC_CODES: ReadonlyMap<number, number> = new Map([
  [400, 3],
  [401, 16],
  [403, 7],
  [404, 5],
  [409, 10],
  [429, 8],
  [499, 1],
  [500, 13],
  [501, 12],
  [503, 14],
  [504, 4],
]);
