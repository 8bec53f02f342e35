// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { PurserError } from "../../kernel/errors.ts";
import type { Clock } from "../../kernel/ports.ts";
import { textHash } from "../../kernel/text-hash.ts";
import { policyOfCell } from "./cell-name.ts";
import type { QuotaCounter } from "./counting/counter.ts";
import { type CountSelector, counterKindOf, ruleOf } from "./counting/counter-kind.ts";
import { QUOTA_COUNTERS } from "./counting/counters.ts";
import { DeduplicationMemory } from "./counting/deduplication.ts";
import { createMemoryView } from "./memory-view.ts";
import type { AllocateOptions, QuotaGrant, QuotaRequest, QuotaStore } from "./quota.ts";
import type { QuotaAlgorithm, QuotaCounting, WindowAlignment } from "./quota-definition.ts";
import { assertQuotaRequests } from "./quota-request.ts";
import type { QuotaView } from "./quota-view.ts";

export interface MemoryQuotaStoreOptions {
  readonly clock: Clock;
  /**
   * Maximum number of counts; default 100 000. A long name weighs one more for each 256 characters, and a
   * sliding-log one more for each 32 entries. Idle counts make way for new ones. A count in use is never
   * dropped, because its limit could then be exceeded. When no place is left, a log cannot grow either.
   *
   * One policy may use four times as many places as are free: 80 % of all when it is alone. Beyond that, its
   * new keys share maxCells / 128 counts, by the hash of the key, until those are idle: a key may be refused
   * because of other keys, but never exceeds its limit. So invented keys cannot take the places of other
   * policies. All policies together have maxCells / 8 shared counts in addition to maxCells. When no place is
   * left, a new count is refused with PURSER_STORE_UNAVAILABLE.
   */
  readonly maxCells?: number;
  /** False to give each key its own count as long as there is room; default true. */
  readonly sharesCounts?: boolean;
  /** Maximum number of deduplication ids; default 100 000. Beyond it the older half is dropped. */
  readonly maxDeduplicationIds?: number;
}

export interface MemoryQuotaStore extends QuotaStore {
  /** Always synchronous. */
  allocate(requests: readonly QuotaRequest[], options: AllocateOptions): readonly QuotaGrant[];
  readonly view: QuotaView;
  /** For health reports and metrics. */
  readonly statistics: MemoryQuotaStatistics;
}

export interface MemoryQuotaStatistics {
  readonly cells: number;
  /** Number of requests counted in a shared count, because their policy has reached its bound. */
  readonly shared: number;
  /** Number of calls refused because all counts were in use. */
  readonly overflows: number;
  /** Number of deduplication ids dropped before their minute was over. */
  readonly forgottenIds: number;
}

/** A store in this process's memory; its counts are lost when the process ends. */
export function createMemoryQuotaStore(options: MemoryQuotaStoreOptions): MemoryQuotaStore {
  return new MemoryStore(options);
}

interface Cell {
  /** The selection of the count among those of its name. */
  readonly algorithm: QuotaAlgorithm;
  readonly windowMs: number;
  readonly align: WindowAlignment | undefined;
  /** The rule of calendar periods. */
  readonly rule: string | undefined;
  readonly counter: QuotaCounter<unknown>;
  weight: number;
  state: unknown;
  /** The limit of the last charge; 0 before the first. */
  lastLimit: number;
  /** From this time on the state is equivalent to a new one. */
  restsAtMs: number;
  /**
   * The cell with the same name and another counting, from before an edit of the policy, while still in use.
   */
  readonly earlier: Cell | undefined;
}

const CHARACTERS_PER_WEIGHT = 256;

/** As much memory as the characters. */
const ENTRIES_PER_WEIGHT = 32;

/**
 * Multiple of the free places that one policy may use: the dynamic threshold of Choudhury and Hahne (IEEE/ACM
 * Transactions on Networking 6(2), 1998), under which n greedy policies leave 1 / (1 + 4n) of the places
 * free.
 */
const SHARE_OF_FREE = 4;

/** Number of places per shared count of a policy. */
const PLACES_PER_SHARED = 128;

/** Number of places per reserved place for shared counts, so that some are left when all others are taken. */
const PLACES_PER_RESERVED = 8;

/** Start of a shared count's key; other keys never contain it. */
const SHARED_MARK = "{#";

/** Number of cells checked for each new one: enough to keep up with any growth, few enough to be cheap. */
const SWEEP_STEPS = 16;

class MemoryStore implements MemoryQuotaStore {
  readonly #clock: Clock;
  readonly #maxCells: number;
  /**
   * Wall time at the start, continued by the monotonic clock: setting the host's clock has no effect, while
   * windows still begin at wall times.
   */
  readonly #epochMs: number;
  readonly #cells = new Map<string, Cell>();
  readonly view: QuotaView;
  readonly #answers: DeduplicationMemory;
  /** Number of shared counts per policy; 0 for none. */
  readonly #sharedPerPolicy: number;
  readonly #weights = new Map<string, number>();
  #weight = 0;
  #sharedWeight = 0;
  #shared = 0;
  #overflows = 0;
  #sweep: Iterator<[string, Cell]> | undefined;

  constructor(options: MemoryQuotaStoreOptions) {
    const { clock, maxCells = 100_000, maxDeduplicationIds = 100_000, sharesCounts = true } = options;
    this.#clock = clock;
    this.#maxCells = maxCells;
    this.#epochMs = clock.nowMs() - clock.monotonicMs();
    this.#answers = new DeduplicationMemory(maxDeduplicationIds);
    this.#sharedPerPolicy = sharesCounts ? Math.ceil(maxCells / PLACES_PER_SHARED) : 0;
    this.view = createMemoryView<Cell>({
      names: () => this.#cells.keys(),
      get: (name) => this.#cells.get(name),
      lastLimitOf: (latest, counting) => this.#lastLimitOf(latest, counting),
      isShared: (name) => this.#sharedOf(name, this.#nowMs()) !== undefined,
      drop: (name, latest) => this.#drop(name, latest),
    });
  }

  get statistics(): MemoryQuotaStatistics {
    return {
      cells: this.#cells.size,
      shared: this.#shared,
      overflows: this.#overflows,
      forgottenIds: this.#answers.forgotten,
    };
  }

  allocate(requests: readonly QuotaRequest[], { deduplicationId }: AllocateOptions): readonly QuotaGrant[] {
    assertQuotaRequests(requests);
    const nowMs = this.#nowMs();
    const remembered = this.#answers.find(deduplicationId, nowMs);
    if (remembered !== undefined) return remembered;
    const grants =
      requests.length === 1
        ? [this.#charge(requests[0] as QuotaRequest, nowMs)]
        : this.#chargeTogether(requests, nowMs);
    this.#answers.remember(deduplicationId, grants, nowMs);
    return grants;
  }

  /** Charges a single request; a request that is not granted leaves its count unchanged. */
  #charge(request: QuotaRequest, nowMs: number): QuotaGrant {
    const cell = this.#cellOf(request, nowMs);
    const grant = cell.counter.charge(cell.state, request, nowMs);
    const restsAtMs = nowMs + grant.resetMs;
    // A request that is not granted may extend the life, but not end it.
    cell.restsAtMs = grant.granted === 0 ? Math.max(cell.restsAtMs, restsAtMs) : restsAtMs;
    if (request.amount > 0 && request.limit > 0) cell.lastLimit = request.limit;
    return grant;
  }

  #nowMs(): number {
    return Math.floor(this.#epochMs + this.#clock.monotonicMs());
  }

  #lastLimitOf(latest: Cell, counting: QuotaCounting): number | undefined {
    const nowMs = this.#nowMs();
    for (let cell: Cell | undefined = latest; cell !== undefined; cell = cell.earlier) {
      if (isCountOf(cell, counting)) return cell.restsAtMs > nowMs ? cell.lastLimit : undefined;
    }
    return undefined;
  }

  #chargeTogether(requests: readonly QuotaRequest[], nowMs: number): readonly QuotaGrant[] {
    // Find all cells first, so that a full store refuses before anything is counted.
    const before = new Map<Cell, Pick<Cell, "state" | "restsAtMs">>();
    for (const request of requests) {
      const cell = this.#cellOf(request, nowMs);
      const { counter, state, restsAtMs } = cell;
      if (!before.has(cell)) before.set(cell, { state: counter.copy(state), restsAtMs });
    }
    const grants = requests.map((request) => this.#charge(request, nowMs));
    if (!requests.some((request, index) => isRefused(request, grants[index] as QuotaGrant))) return grants;
    // A give-back that is undone has ended the cell's life: without its old end, the sweep drops used amounts.
    for (const [cell, saved] of before) Object.assign(cell, saved);
    return requests.map((request, index) => {
      const { retryAfterMs } = grants[index] as QuotaGrant;
      return { ...this.#charge({ ...request, amount: 0 }, nowMs), retryAfterMs };
    });
  }

  #cellOf(request: QuotaRequest, nowMs: number): Cell {
    // Most counts exist under their own name: one look-up is a sixth of a decision.
    let name = request.cell;
    let latest = this.#cells.get(name);
    if (latest === undefined) {
      name = this.#nameOf(name, nowMs);
      latest = this.#cells.get(name);
    }
    for (let cell = latest; cell !== undefined; cell = cell.earlier) {
      if (!isCountOf(cell, request)) continue;
      if (request.amount > 0) this.#makeRoomToGrow(name, cell);
      // The rest of the call may need room, and must not drop this cell as idle.
      if (cell.restsAtMs <= nowMs) cell.restsAtMs = nowMs + 1;
      return cell;
    }
    const { algorithm, windowMs, align, period } = request;
    const rule = period?.rule;
    const weight = weightOf(name);
    this.#sweepOn(nowMs);
    this.#assertRoom(name, weight);
    const counter = QUOTA_COUNTERS[counterKindOf(request)];
    const state = counter.create(nowMs);
    const earlier = this.#cells.get(name);
    const restsAtMs = nowMs + 1;
    const cell: Cell = {
      algorithm,
      windowMs,
      align,
      rule,
      counter,
      weight,
      state,
      lastLimit: 0,
      restsAtMs,
      earlier,
    };
    this.#cells.set(name, cell);
    this.#weigh(name, weight);
    return cell;
  }

  /** Takes a place for the next entry of a state that grows with use, before anything is counted. */
  #makeRoomToGrow(name: string, cell: Cell): void {
    const { counter, state } = cell;
    if (counter.entries === undefined) return;
    const weight = weightOf(name) + Math.floor(counter.entries(state) / ENTRIES_PER_WEIGHT);
    if (weight > cell.weight) this.#assertRoom(name, weight - cell.weight);
    this.#weigh(name, weight - cell.weight);
    cell.weight = weight;
  }

  /** The count for a key that has none: its own, or one shared with other keys of its policy. */
  #nameOf(cell: string, nowMs: number): string {
    this.#sweepOn(nowMs);
    if (this.#sharedPerPolicy === 0) return cell;
    const policy = policyOfCell(cell);
    // While the shared count is in use, it may contain earlier amounts of this key.
    const inUse = this.#sharedOf(cell, nowMs);
    if (inUse === undefined && this.#hasShare(policy, weightOf(cell))) return cell;
    this.#shared++;
    return inUse ?? this.#sharedName(cell);
  }

  /** The name of the count that a key shares with others; undefined while that count is not in use. */
  #sharedOf(cell: string, nowMs: number): string | undefined {
    if (this.#sharedPerPolicy === 0) return undefined;
    const shared = this.#sharedName(cell);
    const latest = this.#cells.get(shared);
    return latest === undefined || allAtRest(latest, nowMs) ? undefined : shared;
  }

  #sharedName(cell: string): string {
    return `${policyOfCell(cell)}${SHARED_MARK}${textHash(cell) % this.#sharedPerPolicy}}`;
  }

  /** Whether a policy may use that many more places. The first place is always available. */
  #hasShare(policy: string, weight: number): boolean {
    const taken = this.#weights.get(policy) ?? 0;
    return taken === 0 || taken + weight <= SHARE_OF_FREE * (this.#maxCells - this.#weight);
  }

  #weigh(name: string, weight: number): void {
    if (isShared(name)) {
      this.#sharedWeight += weight;
      return;
    }
    this.#weight += weight;
    const policy = policyOfCell(name);
    const sum = (this.#weights.get(policy) ?? 0) + weight;
    if (sum === 0) this.#weights.delete(policy);
    else this.#weights.set(policy, sum);
  }

  /** Checks a few cells and drops idle ones; each call continues where the last one ended. */
  #sweepOn(nowMs: number): void {
    for (let step = 0; step < SWEEP_STEPS; step++) {
      this.#sweep ??= this.#cells.entries();
      const next = this.#sweep.next();
      if (next.done === true) {
        this.#sweep = undefined;
        break;
      }
      const [name, latest] = next.value;
      if (allAtRest(latest, nowMs)) this.#drop(name, latest);
    }
  }

  #assertRoom(name: string, weight: number): void {
    if (isShared(name)) {
      if (this.#sharedWeight + weight <= Math.ceil(this.#maxCells / PLACES_PER_RESERVED)) return;
    } else if (this.#weight + weight <= this.#maxCells) return;
    this.#overflows++;
    throw new PurserError(
      "PURSER_STORE_UNAVAILABLE",
      "the memory store has as many quotas in use as it may keep",
      {
        details: { cells: this.#cells.size, maxCells: this.#maxCells },
      },
    );
  }

  #drop(name: string, latest: Cell): void {
    this.#cells.delete(name);
    for (let cell: Cell | undefined = latest; cell !== undefined; cell = cell.earlier)
      this.#weigh(name, -cell.weight);
  }
}

function isCountOf({ algorithm, windowMs, align, rule }: Cell, selector: CountSelector): boolean {
  return (
    windowMs === selector.windowMs &&
    // A policy's own selector may be one of slots, which requests count as another algorithm.
    (algorithm === selector.algorithm || algorithm === counterKindOf(selector)) &&
    align === selector.align &&
    rule === ruleOf(selector)
  );
}

function isShared(name: string): boolean {
  return name.startsWith(SHARED_MARK, policyOfCell(name).length);
}

function weightOf(name: string): number {
  return 1 + Math.floor(name.length / CHARACTERS_PER_WEIGHT);
}

function allAtRest(latest: Cell, nowMs: number): boolean {
  for (let cell: Cell | undefined = latest; cell !== undefined; cell = cell.earlier) {
    if (cell.restsAtMs > nowMs) return false;
  }
  return true;
}

/** Whether this request makes its whole call fail. */
function isRefused(request: QuotaRequest, grant: QuotaGrant): boolean {
  return !request.bestEffort && grant.granted < request.amount;
}
