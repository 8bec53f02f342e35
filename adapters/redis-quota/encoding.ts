// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { createHash } from "node:crypto";
import {
  type CounterKind,
  counterKindOf,
  countingName,
  type CountSelector,
  type PeriodBounds,
  type QuotaGrant,
  type QuotaRequest,
} from "../../plugins/sdk/index.ts";
import { REPLY_ANSWER, REPLY_ERROR, REPLY_SHAPE } from "./reply-marks.ts";

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
    if (hasId || requests.length !== 1) numbers.push(0, 2 * requests.length + (hasId ? 1 : 0));
    for (const request of requests) {
      const { cell, amount, slot = -1 } = request;
      const shape = shapeOf(request, shapes, prefix);
      keys.push(shape.keyStart + boundedName(cell));
      if (amount < 0) numbers.push(2 * shape.number + 1, 0 - amount, slot + 1);
      else numbers.push(2 * shape.number, amount);
    }
  }
  const batch = {
    shapes: shapes.map(({ request }) => encodeShape(request)),
    again: mayRepeatKeys(calls) ? positionsOfRepeated(keys) : [],
  };
  return { keys, args: [JSON.stringify(batch), textOfNumbers(numbers)] };
}

/**
 * Writes natural numbers below 2^53 as ASCII: digits to the base 64, the lowest first, with 64 added to each that another
 * digit follows. Lua reads such characters faster than JSON.
 */
function textOfNumbers(numbers: readonly number[]): string {
  let text = "";
  for (const number of numbers) {
    let rest = number;
    for (; rest >= 64; rest = Math.floor(rest / 64)) text += String.fromCharCode(64 + (rest % 64));
    text += String.fromCharCode(rest);
  }
  return text;
}

/**
 * Whether a key may occur twice. Keys differ where cells and ids do, and cells have been hashed before, by the leases:
 * hashing the keys, which are made for the batch, took 7 % of a decision's time.
 */
function mayRepeatKeys(calls: readonly ScriptCall[]): boolean {
  const cells = new Set<string>();
  const ids = new Set<string>();
  let count = 0;
  for (const { requests, deduplicationId } of calls) {
    for (const { cell } of requests) cells.add(cell);
    count += requests.length;
    if (deduplicationId === "") continue;
    ids.add(deduplicationId);
    count++;
  }
  return cells.size + ids.size < count;
}

/** The positions, from 1, of the keys that occur more than once. */
function positionsOfRepeated(keys: readonly string[]): readonly number[] {
  if (new Set(keys).size === keys.length) return [];
  const positions = new Map<string, number>();
  const repeated = new Set<number>();
  for (const [index, key] of keys.entries()) {
    const before = positions.get(key);
    if (before === undefined) positions.set(key, index + 1);
    else repeated.add(before).add(index + 1);
  }
  return [...repeated];
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
  const [packed, ...errors] = Array.isArray(reply) ? (reply as readonly unknown[]) : [];
  if (!Buffer.isBuffer(packed)) throw unknownForm();
  const numbers = new Numbers(packed);
  const nowMs = numbers.next();
  let shared = NO_SHARED;
  const answers = calls.map(({ requests }): ScriptAnswer => {
    if (numbers.peek() === REPLY_SHAPE) shared = numbers.shared();
    const mark = numbers.peek();
    const [request] = requests;
    if (mark < 0 && request !== undefined && request.amount > 0)
      return [numbers.grantInPlace(request, shared)];
    if (mark < REPLY_ERROR) return numbers.grants(requests.length);
    numbers.next();
    if (mark === REPLY_ANSWER) return numbers.grants(numbers.next() / NUMBERS_PER_GRANT);
    const error = errors.shift();
    if (mark !== REPLY_ERROR || !Buffer.isBuffer(error)) throw unknownForm();
    return { error: error.toString() };
  });
  if (!numbers.areRead || errors.length > 0) throw unknownForm();
  return { nowMs, answers };
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

/** The numbers that all grants in place of a shape share. */
type Shared = Pick<QuotaGrant, "resetMs" | "validForMs" | "slot">;

const NO_SHARED: Shared = { resetMs: 0, validForMs: 0, slot: -1 };

const NUMBERS_PER_GRANT = 6;
const DOUBLE_BYTES = 8;

/** Reads the numbers of a reply in turn. */
class Numbers {
  readonly #view: DataView;
  #at = 0;

  /** @param bytes Little-endian doubles. */
  constructor({ buffer, byteOffset, byteLength }: Buffer) {
    this.#view = new DataView(buffer, byteOffset, byteLength);
  }

  get areRead(): boolean {
    return this.#at === this.#view.byteLength;
  }

  /** @throws TypeError when no number follows. */
  peek(): number {
    if (this.#at + DOUBLE_BYTES > this.#view.byteLength) throw unknownForm();
    const number = this.#view.getFloat64(this.#at, true);
    if (!Number.isInteger(number)) throw unknownForm();
    return number;
  }

  next(): number {
    const number = this.peek();
    this.#at += DOUBLE_BYTES;
    return number;
  }

  shared(): Shared {
    this.next();
    return { resetMs: this.next(), validForMs: this.next(), slot: this.next() };
  }

  /** A grant of the whole amount, of which the reply has only what the client cannot know. */
  grantInPlace({ amount, algorithm }: QuotaRequest, { resetMs, validForMs, slot }: Shared): QuotaGrant {
    const remaining = -1 - this.next();
    const isBucket = algorithm === "token-bucket";
    return {
      granted: amount,
      remaining,
      resetMs: isBucket ? this.next() : resetMs,
      retryAfterMs: 0,
      validForMs,
      slot: isBucket ? this.next() : slot,
    };
  }

  grants(count: number): readonly QuotaGrant[] {
    const grants: QuotaGrant[] = [];
    while (grants.length < count) {
      grants.push({
        granted: this.next(),
        remaining: this.next(),
        resetMs: this.next(),
        retryAfterMs: this.next(),
        validForMs: this.next(),
        slot: this.next(),
      });
    }
    return grants;
  }
}

function unknownForm(): TypeError {
  return new TypeError("the reply has an unknown form");
}
