// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { PurserError } from "../kernel/errors.ts";
import type { Clock } from "../kernel/ports.ts";
import { QUOTA_COUNTERS, type QuotaCounter } from "./counter.ts";
import { DeduplicationMemory } from "./deduplication.ts";
import type { AllocateOptions, QuotaAlgorithm, QuotaGrant, QuotaRequest, QuotaStore } from "./quota.ts";
import { assertQuotaRequests } from "./quota-request.ts";

export interface MemoryQuotaStoreOptions {
  readonly clock: Clock;
  /**
   * Counts kept at most; default 100 000. A count whose name is long weighs one more for each 256 characters. Counts
   * at rest make way for new ones; when all are in use, a new one is refused with PURSER_STORE_UNAVAILABLE, because
   * forgetting one that is in use would let its limit be exceeded.
   */
  readonly maxCells?: number;
  /** Deduplication ids remembered at most; default 100 000. Beyond it the older half is forgotten. */
  readonly maxDeduplicationIds?: number;
}

export interface MemoryQuotaStore extends QuotaStore {
  /** Always at once. */
  allocate(requests: readonly QuotaRequest[], options: AllocateOptions): readonly QuotaGrant[];
  /** For health reports and metrics. */
  readonly statistics: MemoryQuotaStatistics;
}

export interface MemoryQuotaStatistics {
  readonly cells: number;
  /** Calls refused because all counts were in use. */
  readonly overflows: number;
  /** Deduplication ids forgotten before their minute was over. */
  readonly forgottenIds: number;
}

/** Counts in this process's memory; what it counted is gone when the process ends. */
export function createMemoryQuotaStore(options: MemoryQuotaStoreOptions): MemoryQuotaStore {
  return new MemoryStore(options);
}

interface Cell {
  readonly algorithm: QuotaAlgorithm;
  readonly windowMs: number;
  readonly counter: QuotaCounter<unknown>;
  readonly weight: number;
  state: unknown;
  /** From then on the state is as good as a new one. */
  restsAtMs: number;
  /** The same name with another algorithm or window: the policy was edited, and the old count is still in use. */
  readonly earlier: Cell | undefined;
}

const CHARACTERS_PER_WEIGHT = 256;

/** How many cells are looked at when a new one comes: enough to outrun any growth, few enough to go unnoticed. */
const SWEEP_STEPS = 16;

class MemoryStore implements MemoryQuotaStore {
  readonly #clock: Clock;
  readonly #maxCells: number;
  /**
   * Wall time as it stood at the start, carried on by the monotonic clock: setting the host's clock then neither gives
   * nor takes, while windows still begin when the wall says so.
   */
  readonly #epochMs: number;
  readonly #cells = new Map<string, Cell>();
  readonly #answers: DeduplicationMemory;
  #weight = 0;
  #overflows = 0;
  #sweep: Iterator<[string, Cell]> | undefined;

  constructor({ clock, maxCells = 100_000, maxDeduplicationIds = 100_000 }: MemoryQuotaStoreOptions) {
    this.#clock = clock;
    this.#maxCells = maxCells;
    this.#epochMs = clock.nowMs() - clock.monotonicMs();
    this.#answers = new DeduplicationMemory(maxDeduplicationIds);
  }

  get statistics(): MemoryQuotaStatistics {
    return { cells: this.#cells.size, overflows: this.#overflows, forgottenIds: this.#answers.forgotten };
  }

  allocate(requests: readonly QuotaRequest[], { deduplicationId }: AllocateOptions): readonly QuotaGrant[] {
    assertQuotaRequests(requests);
    const nowMs = Math.floor(this.#epochMs + this.#clock.monotonicMs());
    const remembered = this.#answers.find(deduplicationId, nowMs);
    if (remembered !== undefined) return remembered;
    const grants =
      requests.length === 1
        ? [this.#charge(requests[0] as QuotaRequest, nowMs)]
        : this.#chargeTogether(requests, nowMs);
    this.#answers.remember(deduplicationId, grants, nowMs);
    return grants;
  }

  /** A request by itself: when it is not granted, its count is as it was. */
  #charge(request: QuotaRequest, nowMs: number): QuotaGrant {
    const cell = this.#cellOf(request, nowMs);
    const grant = cell.counter.charge(cell.state, request, nowMs);
    // Only those who count say how long: somebody with another limit may look at the same cell, or be refused by it.
    if (grant.granted !== 0) cell.restsAtMs = nowMs + grant.resetMs;
    return grant;
  }

  #chargeTogether(requests: readonly QuotaRequest[], nowMs: number): readonly QuotaGrant[] {
    // All cells first, so that a store that is full refuses before anything is counted.
    const before = new Map<Cell, unknown>();
    for (const request of requests) {
      const cell = this.#cellOf(request, nowMs);
      if (!before.has(cell)) before.set(cell, cell.counter.copy(cell.state));
    }
    const grants = requests.map((request) => this.#charge(request, nowMs));
    if (!requests.some((request, index) => isRefused(request, grants[index] as QuotaGrant))) return grants;
    for (const [cell, state] of before) cell.state = state;
    return requests.map((request, index) => {
      const { retryAfterMs } = grants[index] as QuotaGrant;
      return { ...this.#charge({ ...request, amount: 0 }, nowMs), retryAfterMs };
    });
  }

  #cellOf(request: QuotaRequest, nowMs: number): Cell {
    const latest = this.#cells.get(request.cell);
    for (let cell = latest; cell !== undefined; cell = cell.earlier) {
      if (cell.windowMs !== request.windowMs || cell.algorithm !== request.algorithm) continue;
      // The rest of the call may make room, and must not take this cell for one at rest.
      if (cell.restsAtMs <= nowMs) cell.restsAtMs = nowMs + 1;
      return cell;
    }
    const { algorithm, windowMs } = request;
    const weight = 1 + Math.floor(request.cell.length / CHARACTERS_PER_WEIGHT);
    this.#makeRoom(weight, nowMs);
    const counter = QUOTA_COUNTERS[algorithm];
    const state = counter.create(nowMs);
    const earlier = this.#cells.get(request.cell);
    const cell: Cell = { algorithm, windowMs, counter, weight, state, restsAtMs: nowMs + 1, earlier };
    this.#cells.set(request.cell, cell);
    this.#weight += weight;
    return cell;
  }

  /** Walks a few steps on through all cells and drops those at rest; the walk goes on where the last one ended. */
  #makeRoom(weight: number, nowMs: number): void {
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
    if (this.#weight + weight <= this.#maxCells) return;
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
      this.#weight -= cell.weight;
  }
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
