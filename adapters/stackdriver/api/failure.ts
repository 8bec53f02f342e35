// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { type Clock, type HttpResponse, httpFailure, PurserError } from "../../../plugins/sdk/index.ts";
import { at, isRecord, textAt } from "./json.ts";

/** A refusal by one of Google's services: google.rpc.Status in JSON. */
export interface ApiFailure {
  /** For the host: says whether a retry helps, and after which pause. */
  readonly error: PurserError;
  /** Name of a google.rpc.Code such as `UNAVAILABLE`; empty when the answer came from something else, such as a proxy. */
  readonly status: string;
  readonly message: string;
  /** google.protobuf.Any messages, each with its `@type`. */
  readonly details: readonly Readonly<Record<string, unknown>>[];
}

/** Codes after which the same request may succeed (google/rpc/code.proto; aip.dev/194). */
const RETRYABLE: ReadonlySet<string> = new Set([
  "UNAVAILABLE",
  "RESOURCE_EXHAUSTED",
  "DEADLINE_EXCEEDED",
  "INTERNAL",
  "ABORTED",
]);

const MAX_MESSAGE = 500;

/** The failure that a response states; undefined for a 2xx. */
export function failureOf(response: HttpResponse, service: string, clock: Clock): ApiFailure | undefined {
  const general = httpFailure(response, clock);
  if (general === undefined) return undefined;
  const body = at(jsonOf(response), "error");
  const status = textAt(body, "status") ?? "";
  // Only google.rpc.Status has a status by name; any other answer is judged by its HTTP status alone.
  if (status === "" || general.code === "PURSER_REQUEST_TOO_LARGE")
    return { error: general, status, message: general.message, details: [] };
  const message = (textAt(body, "message") ?? "").slice(0, MAX_MESSAGE);
  const details = arrayOf(at(body, "details")).filter(isRecord);
  const retryable = RETRYABLE.has(status);
  const retryAfterMs = retryDelayOf(details) ?? general.details["retryAfterMs"];
  const error = new PurserError("PURSER_HANDLER_FAILED", `${service} answered ${status}: ${message}`, {
    retryable,
    details: {
      status: response.status,
      code: status,
      ...(retryable && typeof retryAfterMs === "number" ? { retryAfterMs } : {}),
    },
  });
  return { error, status, message, details };
}

/** The detail of a type such as `google.rpc.RetryInfo`. */
export function detailOf(
  details: readonly Readonly<Record<string, unknown>>[],
  type: string,
): Readonly<Record<string, unknown>> | undefined {
  return details.find((detail) => detail["@type"] === `type.googleapis.com/${type}`);
}

/** The pause in milliseconds that google.rpc.RetryInfo asks for; a Duration in JSON is seconds such as `3.5s`. */
function retryDelayOf(details: ApiFailure["details"]): number | undefined {
  const delay = detailOf(details, "google.rpc.RetryInfo")?.["retryDelay"];
  const seconds = typeof delay === "string" ? /^(\d{1,9}(?:\.\d{1,9})?)s$/.exec(delay)?.[1] : undefined;
  return seconds === undefined ? undefined : Math.ceil(Number(seconds) * 1000);
}

function jsonOf(response: HttpResponse): unknown {
  try {
    return response.json();
  } catch {
    return undefined;
  }
}

function arrayOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
