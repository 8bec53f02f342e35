// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { createHash } from "node:crypto";
import { createRequire } from "node:module";
import type * as messagePack from "@msgpack/msgpack";
import {
  type CounterKind,
  counterKindOf,
  countingName,
  type CountSelector,
  type PeriodBounds,
  type QuotaGrant,
  type QuotaRequest,
} from "../../plugins/sdk/index.ts";

/** Arguments of one `allocate` for the script. */
export interface ScriptCall {
  readonly requests: readonly QuotaRequest[];
  readonly deduplicationId: string;
}

/** Outcome of one `allocate`: grants, or an error text. */
export type ScriptAnswer = readonly QuotaGrant[] | { readonly error: string };

/** Positions in the script's list of counters. */
const COUNTER_NUMBER: Readonly<Record<CounterKind, number>> = {
  "fixed-window": 1,
  "sliding-window": 2,
  "token-bucket": 3,
  "first-use-window": 4,
  "calendar-period": 5,
  "sliding-log": 6,
  allocation: 7,
};

/**
 * Longer names are replaced by their SHA-256: names contain client input, and Redis keeps every name in
 * memory.
 */
const NAME_LENGTH_MAX = 256;

/** Shapes of a batch that a request is compared with. A shape that is missed is sent again, which costs only bytes. */
const SHAPES_COMPARED = 8;

/** KEYS and ARGV of the script; script.ts describes their layout. */
export function encodeCalls(
  calls: readonly ScriptCall[],
  prefix: string,
): { readonly keys: readonly string[]; readonly args: readonly string[] } {
  const keys: string[] = [];
  const numbers: number[] = [];
  const shapes: Shape[] = [];
  for (const { requests, deduplicationId } of calls) {
    const hasId = deduplicationId !== "";
    if (hasId) keys.push(`${prefix}call:${boundedName(deduplicationId)}`);
    numbers.push(2 * requests.length + (hasId ? 1 : 0));
    for (const request of requests) {
      const { cell, amount, slot = -1 } = request;
      const shape = shapeOf(request, shapes, prefix);
      keys.push(shape.keyStart + boundedName(cell));
      numbers.push(shape.number, amount);
      if (amount < 0) numbers.push(slot);
    }
  }
  const batch = { shapes: shapes.map(({ request }) => encodeShape(request)), calls: numbers };
  return { keys, args: [JSON.stringify(batch)] };
}

/**
 * Decodes the server's time and an answer for each call.
 *
 * @throws TypeError when the reply has another form than the script's: the peer is not Redis.
 */
export function decodeReply(
  reply: unknown,
  calls: readonly ScriptCall[],
): { readonly nowMs: number; readonly answers: readonly ScriptAnswer[] } {
  const elements = Buffer.isBuffer(reply) ? unpack(reply) : undefined;
  if (!Array.isArray(elements) || typeof elements[0] !== "number") throw unknownForm();
  const answers: ScriptAnswer[] = [];
  let at = 1;
  for (const { requests } of calls) {
    const other: unknown = elements[at];
    if (typeof other === "string") answers.push({ error: other });
    else if (Array.isArray(other)) answers.push(decodeGrants(other, 0, other.length));
    else {
      answers.push(decodeGrants(elements, at, at + requests.length * NUMBERS_PER_GRANT));
      at += requests.length * NUMBERS_PER_GRANT;
      continue;
    }
    at++;
  }
  if (at !== elements.length) throw unknownForm();
  return { nowMs: elements[0], answers };
}

/** The key of a count. */
export function countKey(prefix: string, selector: CountSelector, name: string): string {
  return `${prefix}${countingName(selector)}:${name}`;
}

export function boundedName(name: string): string {
  if (name.length <= NAME_LENGTH_MAX) return name;
  return `sha256=${createHash("sha256").update(name).digest("hex")}`;
}

/** The fields that requests of one policy share: the script reads them once for all these requests. */
interface Shape {
  /** The first request of this shape. */
  readonly request: QuotaRequest;
  /** The shape's position in the batch, from 1. */
  readonly number: number;
  /** The keys of the shape's counts, without their names. */
  readonly keyStart: string;
}

/** Finds the request's shape among the batch's last ones, or adds it to them. */
function shapeOf(request: QuotaRequest, shapes: Shape[], prefix: string): Shape {
  const end = Math.max(0, shapes.length - SHAPES_COMPARED);
  for (let at = shapes.length - 1; at >= end; at--) {
    const known = shapes[at] as Shape;
    if (haveSameShape(known.request, request)) return known;
  }
  const shape = { request, number: shapes.length + 1, keyStart: countKey(prefix, request, "") };
  shapes.push(shape);
  return shape;
}

function haveSameShape(a: QuotaRequest, b: QuotaRequest): boolean {
  return (
    a.limit === b.limit &&
    a.windowMs === b.windowMs &&
    a.algorithm === b.algorithm &&
    a.align === b.align &&
    a.bestEffort === b.bestEffort &&
    a.leaseMs === b.leaseMs &&
    haveSamePeriod(a.period, b.period)
  );
}

function haveSamePeriod(a: PeriodBounds | undefined, b: PeriodBounds | undefined): boolean {
  return (
    a === b || (a?.rule === b?.rule && boundsOf(a).every((instantMs, at) => instantMs === boundsOf(b)[at]))
  );
}

/** The beginnings of the previous, the current and the next period, and the next one's end; empty without periods. */
function boundsOf(period: PeriodBounds | undefined): readonly number[] {
  if (period === undefined) return [];
  const { previousPeriodStartMs, periodStartMs, periodEndMs, nextPeriodEndMs } = period;
  return [previousPeriodStartMs, periodStartMs, periodEndMs, nextPeriodEndMs];
}

function encodeShape(request: QuotaRequest): readonly number[] {
  const { limit, windowMs, bestEffort, leaseMs, period } = request;
  const counter = COUNTER_NUMBER[counterKindOf(request)];
  return [counter, limit, windowMs, bestEffort ? 1 : 0, leaseMs, ...boundsOf(period)];
}

const NUMBERS_PER_GRANT = 6;

/** Decodes the grants whose numbers are the elements from `start` up to, but not including, `end`. */
function decodeGrants(elements: readonly unknown[], start: number, end: number): readonly QuotaGrant[] {
  const grants: QuotaGrant[] = [];
  for (let at = start; at < end; at += NUMBERS_PER_GRANT) {
    grants.push({
      granted: numberAt(elements, at),
      remaining: numberAt(elements, at + 1),
      resetMs: numberAt(elements, at + 2),
      retryAfterMs: numberAt(elements, at + 3),
      validForMs: numberAt(elements, at + 4),
      slot: numberAt(elements, at + 5),
    });
  }
  return grants;
}

let decode: typeof messagePack.decode | undefined;

function unpack(bytes: Buffer): unknown {
  // Loaded here: only processes with a Redis store need it.
  decode ??= (createRequire(import.meta.url)("@msgpack/msgpack") as typeof messagePack).decode;
  return decode(bytes);
}

function numberAt(elements: readonly unknown[], at: number): number {
  const number = elements[at];
  if (typeof number !== "number") throw unknownForm();
  return number;
}

function unknownForm(): TypeError {
  return new TypeError("the reply has an unknown form");
}
