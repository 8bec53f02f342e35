// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { createHash } from "node:crypto";
import {
  type CounterKind,
  counterKindOf,
  countingName,
  type CountSelector,
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
const COUNTER_NUMBER: Readonly<Record<CounterKind, string>> = {
  "fixed-window": "1",
  "sliding-window": "2",
  "token-bucket": "3",
  "first-use-window": "4",
  "calendar-period": "5",
  "sliding-log": "6",
  allocation: "7",
};

/**
 * Longer names are replaced by their SHA-256: names contain client input, and Redis keeps every name in
 * memory.
 */
const NAME_LENGTH_MAX = 256;

/** KEYS and ARGV of the script; script.ts describes their layout. */
export function encodeCalls(
  calls: readonly ScriptCall[],
  prefix: string,
): { readonly keys: readonly string[]; readonly args: readonly string[] } {
  const keys: string[] = [];
  const args: string[] = [`${calls.length}`];
  for (const { requests, deduplicationId } of calls) {
    args.push(deduplicationId === "" ? "0" : "1", `${requests.length}`);
    if (deduplicationId !== "") keys.push(`${prefix}call:${boundedName(deduplicationId)}`);
    for (const request of requests) {
      keys.push(countKey(prefix, request, boundedName(request.cell)));
      args.push(shapeOf(request), `${request.amount}`, `${request.slot ?? -1}`);
    }
  }
  return { keys, args };
}

/**
 * Decodes the server's time and an answer for each call.
 *
 * @throws TypeError when the reply has another form than the script's: the peer is not Redis.
 */
export function decodeReply(
  reply: unknown,
  callCount: number,
): { readonly nowMs: number; readonly answers: readonly ScriptAnswer[] } {
  if (!Array.isArray(reply) || reply.length !== callCount + 1)
    throw new TypeError("the reply has an unknown form");
  const [nowMs, ...answers] = reply as readonly unknown[];
  if (typeof nowMs !== "number") throw new TypeError("the reply has an unknown form");
  return { nowMs, answers: answers.map(decodeAnswer) };
}

/** The key of a count. */
export function countKey(prefix: string, selector: CountSelector, name: string): string {
  return `${prefix}${countingName(selector)}:${name}`;
}

const NUMBERS_PER_GRANT = 6;

function decodeAnswer(answer: unknown): ScriptAnswer {
  if (typeof answer === "string") return { error: answer };
  if (
    !Array.isArray(answer) ||
    answer.length % NUMBERS_PER_GRANT !== 0 ||
    answer.some((n) => typeof n !== "number")
  ) {
    throw new TypeError("the reply has an unknown form");
  }
  const numbers = answer as readonly number[];
  const grants: QuotaGrant[] = [];
  for (let at = 0; at < numbers.length; at += NUMBERS_PER_GRANT) {
    grants.push({
      granted: numbers[at] as number,
      remaining: numbers[at + 1] as number,
      resetMs: numbers[at + 2] as number,
      retryAfterMs: numbers[at + 3] as number,
      validForMs: numbers[at + 4] as number,
      slot: numbers[at + 5] as number,
    });
  }
  return grants;
}

function shapeOf(request: QuotaRequest): string {
  const { limit, windowMs, bestEffort, leaseMs, period } = request;
  const counter = COUNTER_NUMBER[counterKindOf(request)];
  const shape = `${counter} ${limit} ${windowMs} ${bestEffort ? 1 : 0} ${leaseMs}`;
  if (period === undefined) return shape;
  const { previousPeriodStartMs, periodStartMs, periodEndMs, nextPeriodEndMs } = period;
  return `${shape} ${previousPeriodStartMs} ${periodStartMs} ${periodEndMs} ${nextPeriodEndMs}`;
}

export function boundedName(name: string): string {
  if (name.length <= NAME_LENGTH_MAX) return name;
  return `sha256=${createHash("sha256").update(name).digest("hex")}`;
}
