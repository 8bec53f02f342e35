// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import {
  ADJUSTMENT_KINDS,
  adjustmentsFull,
  type AdjustmentKind,
  type CountPage,
  type CountQuery,
  PurserError,
  type QuotaAdjustment,
  type QuotaView,
  type Scheduler,
  type SharedAdjustments,
} from "../../plugins/sdk/index.ts";
import type { Connection, Script } from "./connection.ts";
import { boundedName, countKey } from "./encoding.ts";
import type { Failures } from "./failure.ts";
import { ADJUST, FORGET, SCAN_STEP } from "./view-scripts.ts";

/** Most steps of SCAN for one page: with counts of other policies in between, a page may have fewer names than asked for. */
const SCAN_STEPS_MAX = 20;

/** Most keys that one step looks at: Redis serves nobody else meanwhile, about 1 ms (measured). */
const SCAN_COUNT_MAX = 1_000;

export interface RedisViewOptions {
  readonly connection: Pick<Connection, "evaluate">;
  readonly failures: Failures;
  readonly keyPrefix: string;
  readonly timeoutMs: number;
  readonly scheduler: Scheduler;
}

/**
 * Lists and resets the counts in Redis, and keeps the adjustments that its mixers share. Every call to Redis ends within the timeout. A
 * count with a name of more than 256 characters is stored as a hash, and is not listed.
 */
export function createRedisView(options: RedisViewOptions): QuotaView {
  const run = (script: Script, key: string, ...args: readonly string[]): Promise<unknown> =>
    inTime(options, options.connection.evaluate([key], args, script));
  const { keyPrefix } = options;
  return {
    list: (query) => list(query, keyPrefix, run),
    async reset({ cell, ...counting }) {
      const deleted = await run(FORGET, countKey(keyPrefix, counting, boundedName(cell)));
      return deleted === 1 ? "reset" : "absent";
    },
    shared: createSharedAdjustments(options, run),
  };
}

type Run = (script: Script, key: string, ...args: readonly string[]) => Promise<unknown>;

async function list(query: CountQuery, keyPrefix: string, run: Run): Promise<CountPage> {
  const { policy, limit } = query;
  const start = countKey(keyPrefix, query, "");
  const pattern = `${globLiteral(`${start}${policy}{`)}*`;
  const names = new Set<string>();
  let cursor = cursorOf(query);
  for (let step = 0; step < SCAN_STEPS_MAX && names.size < limit; step++) {
    // A page ends with a step: SCAN has no way back. So no step looks at more keys than the page has room for.
    const count = Math.min(SCAN_COUNT_MAX, limit - names.size);
    const reply = (await run(SCAN_STEP, keyPrefix, cursor, pattern, `${count}`)) as readonly [
      string,
      readonly string[],
    ];
    cursor = `${reply[0]}`;
    for (const key of reply[1]) names.add(key.slice(start.length));
    if (cursor === "0") break;
  }
  const counts = [...names].map((cell) => ({ cell }));
  return cursor === "0" ? { counts } : { counts, cursor };
}

function cursorOf({ cursor = "0" }: CountQuery): string {
  if (/^\d{1,20}$/.test(cursor)) return cursor;
  throw new PurserError("PURSER_REQUEST_INVALID", "the cursor is not one that a list has returned");
}

/** Escapes the characters that a pattern of SCAN gives a meaning. */
function globLiteral(text: string): string {
  return text.replace(/[\\*?[\]^-]/g, "\\$&");
}

function createSharedAdjustments({ keyPrefix }: RedisViewOptions, run: Run): SharedAdjustments {
  const key = `${keyPrefix}adjustments`;
  return {
    async all() {
      return decodeAdjustments((await run(ADJUST, key, "all")) as readonly unknown[]);
    },
    async put({ kind, cell, leftMs, limit, by, reason, madeAtMs }) {
      const rest = JSON.stringify({ limit, by, reason, madeAtMs });
      const [done] = (await run(ADJUST, key, "put", `${kind} ${cell}`, `${Math.ceil(leftMs)}`, rest)) as [
        number,
      ];
      if (done === -1) throw adjustmentsFull();
    },
    async remove(kind, cell) {
      const [done] = (await run(ADJUST, key, "remove", `${kind} ${cell}`)) as [number];
      return done === 1;
    },
  };
}

/** Leaves out fields that Purser did not write. */
function decodeAdjustments([, ...fields]: readonly unknown[]): readonly QuotaAdjustment[] {
  const adjustments: QuotaAdjustment[] = [];
  for (let at = 0; at + 2 < fields.length; at += 3) {
    const [name, leftMs, rest] = fields.slice(at, at + 3) as [string, number, string];
    const kind = ADJUSTMENT_KINDS.find((one: AdjustmentKind) => name.startsWith(`${one} `));
    if (kind === undefined) continue;
    try {
      const { limit, by, reason, madeAtMs } = JSON.parse(rest) as QuotaAdjustment;
      if (!Number.isSafeInteger(limit)) continue;
      adjustments.push({ kind, cell: name.slice(kind.length + 1), limit, leftMs, by, reason, madeAtMs });
    } catch {
      continue;
    }
  }
  return adjustments;
}

/** Rejects with PURSER_STORE_UNAVAILABLE when Redis fails, or has not answered within the timeout. */
function inTime(
  { failures, timeoutMs, scheduler }: RedisViewOptions,
  reply: Promise<unknown>,
): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const cancel = scheduler.after(timeoutMs, () =>
      reject(failures.unavailable(`did not answer within ${timeoutMs} ms`)),
    );
    reply.then(
      (value) => (cancel(), resolve(value)),
      (error: unknown) => (cancel(), reject(failures.of(error))),
    );
  });
}
