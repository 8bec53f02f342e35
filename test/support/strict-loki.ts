// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { ReceivedRequest, ReceiverAnswer } from "./http-receiver.ts";

/** Loki's rules for a push with its default limits, for tests of clients: what it takes, and its answers to the rest. */
export interface StrictLoki {
  readonly stored: readonly StoredEntry[];
  readonly answer: (request: ReceivedRequest) => ReceiverAnswer;
}

interface StoredEntry {
  readonly stream: string;
  readonly nanoseconds: bigint;
  readonly line: string;
}

interface Push {
  readonly streams: readonly {
    readonly stream: Readonly<Record<string, string>>;
    readonly values: readonly (readonly [string, string, Readonly<Record<string, string>>?])[];
  }[];
}

const SECOND = 1_000_000_000n;
const HOUR = 3600n * SECOND;

/** Defaults of limits_config, and of the ingester: max_chunk_age is 2 h, and half of it is the window of a stream. */
const LIMITS = {
  labels: 15,
  labelNameBytes: 1024,
  labelValueBytes: 2048,
  lineBytes: 256 * 1024,
  metadataEntries: 128,
  metadataBytes: 64 * 1024,
  oldest: 168n * HOUR,
  grace: HOUR / 6n,
  window: HOUR,
  returnedErrors: 10,
};

export function createStrictLoki(nowMs: () => number): StrictLoki {
  const stored: StoredEntry[] = [];
  const newest = new Map<string, bigint>();

  const answer = ({ method, path, headers, body }: ReceivedRequest): ReceiverAnswer => {
    if (method !== "POST" || path !== "/loki/api/v1/push") return refusal(404, "404 page not found");
    if (headers["content-type"] !== "application/json") return refusal(400, "Content-Type is not supported");
    const now = BigInt(nowMs()) * 1_000_000n;
    let failure: string | undefined;
    for (const { stream, values } of (JSON.parse(body.toString()) as Push).streams) {
      const text = textOf(stream);
      const malformed = labelFault(stream) ?? values.map(valueFault).find((fault) => fault !== undefined);
      if (malformed !== undefined) return refusal(400, malformed);
      const late: bigint[] = [];
      const window = newest.get(text);
      const cutoff = window === undefined ? undefined : window - LIMITS.window;
      for (const [nanoseconds, line] of values) {
        const time = BigInt(nanoseconds);
        if (time < now - LIMITS.oldest)
          failure = `entry for stream '${text}' has timestamp too old: ${iso(time)}, oldest acceptable timestamp is: ${iso(now - LIMITS.oldest)}`;
        else if (time > now + LIMITS.grace)
          failure = `entry for stream '${text}' has timestamp too new: ${iso(time)}`;
        else if (cutoff !== undefined && time < cutoff) late.push(time);
        else {
          stored.push({ stream: text, nanoseconds: time, line });
          if (time > (newest.get(text) ?? 0n)) newest.set(text, time);
        }
      }
      if (late.length > 0 && cutoff !== undefined) failure = lateMessage(text, late, cutoff, values.length);
    }
    return failure === undefined ? { status: 204 } : refusal(400, failure);
  };
  return { stored, answer };
}

function labelFault(stream: Readonly<Record<string, string>>): string | undefined {
  const names = Object.keys(stream);
  if (names.length === 0) return "error at least one label pair is required per stream";
  if (names.length > LIMITS.labels) return `entry for stream has ${names.length} label names`;
  for (const [name, value] of Object.entries(stream)) {
    if (!/^[a-zA-Z_][a-zA-Z0-9_]*$/.test(name)) return `Error parsing labels: ${name}`;
    if (name.length > LIMITS.labelNameBytes) return `label name too long: ${name}`;
    if (Buffer.byteLength(value) > LIMITS.labelValueBytes) return `label value too long: ${name}`;
  }
  return undefined;
}

function valueFault([nanoseconds, line, metadata = {}]: Push["streams"][number]["values"][number]):
  | string
  | undefined {
  if (typeof nanoseconds !== "string" || !/^\d{1,19}$/.test(nanoseconds)) return "a time is not nanoseconds";
  if (BigInt(nanoseconds) > 2n ** 63n - 1n) return "value out of range";
  if (typeof line !== "string" || Buffer.byteLength(line) > LIMITS.lineBytes)
    return "Max entry size exceeded";
  const fields = Object.entries(metadata);
  const bytes = fields.reduce((sum, [name, value]) => sum + Buffer.byteLength(name + value), 0);
  if (fields.length > LIMITS.metadataEntries) return "too many structured metadata labels";
  return bytes > LIMITS.metadataBytes ? "structured metadata too large" : undefined;
}

/** The ingester's message of entries that are too far behind, of which it names the first ten. */
function lateMessage(stream: string, late: readonly bigint[], cutoff: bigint, total: number): string {
  const named = late
    .slice(0, LIMITS.returnedErrors)
    .map(
      (time) =>
        `entry with timestamp ${goTime(time)} ignored, reason: 'entry too far behind, entry timestamp is: ${iso(time)}, oldest acceptable timestamp is: ${iso(cutoff)}',\n`,
    );
  return `${named.join("")}user 'fake', total ignored: ${late.length} out of ${total} for stream: ${stream}`;
}

function textOf(stream: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(stream).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  return `{${pairs.toSorted().join(", ")}}`;
}

/** RFC 3339 in seconds, as Go's time.RFC3339. */
function iso(nanoseconds: bigint): string {
  return `${new Date(Number(nanoseconds / SECOND) * 1000).toISOString().slice(0, 19)}Z`;
}

/** As Go's Time.String: no trailing zeros in the fraction. */
function goTime(nanoseconds: bigint): string {
  const fraction = String(nanoseconds % SECOND)
    .padStart(9, "0")
    .replace(/0+$/, "");
  return `${iso(nanoseconds).slice(0, 19).replace("T", " ")}${fraction === "" ? "" : `.${fraction}`} +0000 UTC`;
}

function refusal(status: number, body: string): ReceiverAnswer {
  return { status, headers: { "content-type": "text/plain; charset=utf-8" }, body };
}
