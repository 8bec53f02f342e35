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
import type { Backend } from "./backend.ts";
import { boundedName, countKey } from "./encoding.ts";
import type { Failures } from "./failure.ts";
import type { Script } from "./lua-script.ts";
import { type Shard, shardOf, wholeShard } from "./shards.ts";
import { ADJUST, FORGET, SCAN_STEP } from "./view-scripts.ts";

/** Most steps of SCAN for one page: with counts of other policies in between, a page may have fewer names than asked for. */
const SCAN_STEPS_MAX = 20;

/** Most keys that one step looks at: Redis serves nobody else meanwhile, about 1 ms (measured). */
const SCAN_COUNT_MAX = 1_000;

export interface RedisViewOptions {
  readonly backend: Pick<Backend, "evaluate">;
  readonly failures: Failures;
  /** The prefix without a shard's number. */
  readonly keyPrefix: string;
  /** At least one. */
  readonly shards: readonly Shard[];
  readonly timeoutMs: number;
  readonly scheduler: Scheduler;
}

/** Runs a script on a shard's node, with the shard's key of that name. */
type Run = (script: Script, shard: Shard, name: string, ...args: readonly string[]) => Promise<unknown>;

/**
 * Lists and resets the counts in Redis, and keeps the adjustments that its mixers share. Every call to Redis ends within the timeout. A
 * count with a name of more than 256 characters is stored as a hash, and is not listed.
 */
export function createRedisView(options: RedisViewOptions): QuotaView {
  const { backend, shards } = options;
  const run: Run = (script, { keyPrefix, slot }, name, ...args) =>
    inTime(options, backend.evaluate({ script, keys: [keyPrefix + name], args, slot }));
  return {
    list: (query) => list(query, shards, run),
    async reset({ cell, ...counting }) {
      const shard = shards[shardOf(cell, shards.length)] as Shard;
      const deleted = await run(FORGET, shard, countKey("", counting, boundedName(cell)));
      return deleted === 1 ? "reset" : "absent";
    },
    shared: createSharedAdjustments(wholeShard(options.keyPrefix), run),
  };
}

/** Lists one shard after another. Shards on the same node have the same keys to look at, so each costs a scan of its node. */
async function list(query: CountQuery, shards: readonly Shard[], run: Run): Promise<CountPage> {
  const names = new Set<string>();
  let place: Place | undefined = placeOf(query, shards.length);
  for (let step = 0; place !== undefined && step < SCAN_STEPS_MAX && names.size < query.limit; step++) {
    const shard = shards[place.shard] as Shard;
    const start = countKey(shard.keyPrefix, query, "");
    const pattern = `${globLiteral(`${start}${query.policy}{`)}*`;
    // A page ends with a step: SCAN has no way back. So no step looks at more keys than the page has room for.
    const count = Math.min(SCAN_COUNT_MAX, query.limit - names.size);
    const reply = (await run(SCAN_STEP, shard, "", place.cursor, pattern, `${count}`)) as readonly [
      string,
      readonly string[],
    ];
    for (const key of reply[1]) names.add(key.slice(start.length));
    place = placeAfter(place, `${reply[0]}`, shards.length);
  }
  const counts = [...names].map((cell) => ({ cell }));
  return place === undefined ? { counts } : { counts, cursor: `${place.shard}.${place.cursor}` };
}

/** The place where a listing goes on: a shard, and SCAN's cursor on the shard's node. */
interface Place {
  readonly shard: number;
  readonly cursor: string;
}

const SCAN_START = "0";

function placeAfter({ shard }: Place, cursor: string, shardCount: number): Place | undefined {
  if (cursor !== SCAN_START) return { shard, cursor };
  return shard + 1 < shardCount ? { shard: shard + 1, cursor: SCAN_START } : undefined;
}

/** Parses a listing's cursor: the shard's index and SCAN's cursor, `3.1792`. */
function placeOf({ cursor = `0.${SCAN_START}` }: CountQuery, shardCount: number): Place {
  const [, shard, ofScan] = /^(\d{1,4})\.(\d{1,20})$/.exec(cursor) ?? [];
  if (ofScan === undefined || Number(shard) >= shardCount)
    throw new PurserError("PURSER_REQUEST_INVALID", "the cursor is not one that a list has returned");
  return { shard: Number(shard), cursor: ofScan };
}

/** Escapes the characters that a pattern of SCAN gives a meaning. */
function globLiteral(text: string): string {
  return text.replace(/[\\*?[\]^-]/g, "\\$&");
}

/** The prefix's own hash tag has the adjustments, so that their key does not depend on the number of shards. */
function createSharedAdjustments(shard: Shard, run: Run): SharedAdjustments {
  const adjust = (...args: readonly string[]): Promise<unknown> => run(ADJUST, shard, "adjustments", ...args);
  return {
    async all() {
      return decodeAdjustments((await adjust("all")) as readonly unknown[]);
    },
    async put({ kind, cell, leftMs, limit, by, reason, madeAtMs }) {
      const rest = JSON.stringify({ limit, by, reason, madeAtMs });
      const [done] = (await adjust("put", `${kind} ${cell}`, `${Math.ceil(leftMs)}`, rest)) as [number];
      if (done === -1) throw adjustmentsFull();
    },
    async remove(kind, cell) {
      const [done] = (await adjust("remove", `${kind} ${cell}`)) as [number];
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
