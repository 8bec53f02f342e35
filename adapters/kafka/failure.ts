// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { messageOf, PurserError } from "../../plugins/sdk/index.ts";

/**
 * The meaning of a failure for the records. `renew`: the broker no longer knows the idempotent producer, or its numbers are out of
 * step; a new producer must send them. `too-large`: the request, not its records one by one, was refused.
 */
export type FailureKind = "permanent" | "too-large" | "renew" | "retryable";

/** Names of Kafka's error codes (kafka.apache.org/protocol, "Error Codes") that no repetition changes. */
const PERMANENT: ReadonlySet<string> = new Set([
  "TOPIC_AUTHORIZATION_FAILED",
  "CLUSTER_AUTHORIZATION_FAILED",
  "INVALID_TOPIC_EXCEPTION",
  "INVALID_REQUIRED_ACKS",
  "INVALID_RECORD",
  "INVALID_TIMESTAMP",
  "POLICY_VIOLATION",
  "SASL_AUTHENTICATION_FAILED",
  "SECURITY_DISABLED",
  "UNSUPPORTED_COMPRESSION_TYPE",
  "UNSUPPORTED_FOR_MESSAGE_FORMAT",
  "UNSUPPORTED_SASL_MECHANISM",
  "UNSUPPORTED_VERSION",
  // The classes with which the libraries report a refused password.
  "KafkaJSSASLAuthenticationError",
  "PLT_KFK_AUTHENTICATION",
]);

const TOO_LARGE: ReadonlySet<string> = new Set(["MESSAGE_TOO_LARGE", "RECORD_LIST_TOO_LARGE"]);

const RENEW: ReadonlySet<string> = new Set([
  "DUPLICATE_SEQUENCE_NUMBER",
  "INVALID_PRODUCER_EPOCH",
  "INVALID_PRODUCER_ID_MAPPING",
  "OUT_OF_ORDER_SEQUENCE_NUMBER",
  "PRODUCER_FENCED",
  "UNKNOWN_PRODUCER_ID",
]);

const UNKNOWN_TOPIC = "UNKNOWN_TOPIC_OR_PARTITION";

export function kindOf(error: unknown): FailureKind {
  const names = namesIn(error);
  if (names.some((name) => RENEW.has(name))) return "renew";
  if (names.some((name) => TOO_LARGE.has(name))) return "too-large";
  return names.some((name) => PERMANENT.has(name)) ? "permanent" : "retryable";
}

/** Whether the cluster said that it has no such topic, or none with such a partition. */
export function isUnknownTopic(error: unknown): boolean {
  return namesIn(error).includes(UNKNOWN_TOPIC) || messageOf(error).startsWith("Unknown topic ");
}

/** The error for records that failed in this way. */
export function failureOf(error: unknown, place: string, kind: FailureKind = kindOf(error)): PurserError {
  if (kind === "too-large") return tooLarge(`${place}: ${reasonOf(error)}`);
  return new PurserError("PURSER_HANDLER_FAILED", `${place}: ${reasonOf(error)}`, {
    cause: error,
    retryable: kind !== "permanent",
  });
}

/** The error for one record that is larger than a limit. */
export function tooLarge(message: string): PurserError {
  return new PurserError("PURSER_REQUEST_TOO_LARGE", message, { retryable: false });
}

/** The error for a call whose signal aborted. */
export function timedOut(): PurserError {
  return new PurserError("PURSER_HANDLER_TIMEOUT", "the cluster did not answer in time", { retryable: true });
}

/** The error for calls under way when the handler is closed. */
export function closedError(): PurserError {
  return new PurserError("PURSER_HANDLER_FAILED", "the handler was closed", { retryable: true });
}

/** Deepest chain of causes that is looked into; libraries nest three or four. */
const MAX_DEPTH = 6;

/** The names under which an error, its causes and its parts go: the code of Kafka's protocol, or the library's class. */
function namesIn(error: unknown, depth = 0): readonly string[] {
  if (typeof error !== "object" || error === null || depth > MAX_DEPTH) return [];
  const { type, apiId, code, name, cause, errors } = error as Readonly<Record<string, unknown>>;
  const own = [type, apiId, code, name].filter((text) => typeof text === "string");
  const parts = Array.isArray(errors) ? (errors as readonly unknown[]) : [];
  return [...own, ...[cause, ...parts].flatMap((part) => namesIn(part, depth + 1))];
}

/** The most precise message: that of the innermost error, which the outer ones only say was repeated. */
function reasonOf(error: unknown, depth = 0): string {
  const { cause, errors } = (error ?? {}) as Readonly<Record<string, unknown>>;
  const inner = Array.isArray(errors) ? (errors as readonly unknown[]).at(-1) : cause;
  const reason = inner instanceof Error && depth < MAX_DEPTH ? reasonOf(inner, depth + 1) : "";
  return reason === "" ? messageOf(error) : reason;
}
