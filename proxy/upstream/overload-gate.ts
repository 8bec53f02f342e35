// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { AdaptiveLimit } from "../../core/traffic/overload/adaptive-limit.ts";
import { PRIORITIES } from "../../core/traffic/overload/priority.ts";
import type { OverloadSettings } from "../../core/traffic/resources/overload.ts";
import type { Cancel, Runtime } from "../../kernel/ports.ts";

/** How a request ends its wait: it gets a place, is shed, or its client leaves. */
type WaitEnd = "admitted" | "shed" | "left";

interface Waiting {
  readonly priority: number;
  readonly end: (how: WaitEnd) => void;
  readonly cancelTimeout: Cancel;
}

/** Counts of the requests of one priority. */
export interface PriorityCounts {
  admitted: number;
  /** Of those admitted, the ones that had to wait. */
  waited: number;
  shed: number;
}

/** The request as a gate sees it. */
export interface GatedRequest {
  /** Calls back when the client has left, or the exchange is over. */
  onceFinished(callback: () => void): void;
}

/**
 * Admits the requests to one cluster, as many at a time as its latencies allow. Further requests wait, in order of
 * their priority and then of their arrival. When the queue is full, the last of them in that order are shed.
 *
 * A gate outlives changes of the documents, as the requests under way do.
 */
export class OverloadGate {
  readonly #runtime: Pick<Runtime, "clock" | "scheduler">;
  readonly #limit: AdaptiveLimit;
  #settings: OverloadSettings;
  #isOpen = false;
  #active = 0;
  #waitingCount = 0;
  /** The waiting requests of each priority, in order of arrival. */
  readonly #queues: readonly Set<Waiting>[] = Array.from({ length: PRIORITIES }, () => new Set<Waiting>());
  readonly counts: readonly PriorityCounts[] = Array.from({ length: PRIORITIES }, () => ({
    admitted: 0,
    waited: 0,
    shed: 0,
  }));
  /** Requests whose priority's expression failed, or gave no number. */
  priorityFaultsTotal = 0;

  constructor(settings: OverloadSettings, runtime: Pick<Runtime, "clock" | "scheduler" | "random">) {
    this.#settings = settings;
    this.#runtime = runtime;
    this.#limit = new AdaptiveLimit(settings.limit, runtime.random, runtime.clock.monotonicMs());
  }

  get active(): number {
    return this.#active;
  }

  get nowMs(): number {
    return this.#runtime.clock.monotonicMs();
  }

  get waiting(): number {
    return this.#waitingCount;
  }

  /** The number of requests that may be under way now. */
  get limit(): number {
    return this.#limit.current;
  }

  /** The latency without overload; undefined before it was measured. */
  get baselineMs(): number | undefined {
    return this.#limit.baselineMs;
  }

  /** Replaces the settings, and enforces them again after `open`. */
  configure(settings: OverloadSettings): void {
    this.#settings = settings;
    this.#isOpen = false;
    this.#limit.configure(settings.limit);
    this.#admitWaiting();
  }

  /** Sheds no more: the document is gone. */
  open(): void {
    this.#isOpen = true;
    this.#admitWaiting();
  }

  /**
   * Gives the request a place at once, or after a wait; undefined when it is shed. A place must be left, also by a
   * client that is gone.
   *
   * @param priority 0 to 7.
   */
  enter(priority: number, request: GatedRequest): Place | undefined | Promise<Place | undefined> {
    const counts = this.counts[priority] as PriorityCounts;
    if (this.#isOpen || (this.#hasRoom && this.#waitingCount === 0)) return this.#admit(counts);
    if (this.#settings.mode === "shadow") {
      counts.shed++;
      return this.#admit(counts);
    }
    if (this.#waitingCount >= this.#settings.queueLength && !this.#makeRoomFor(priority)) {
      counts.shed++;
      return undefined;
    }
    return this.#wait(priority, counts, request);
  }

  /** Leaves a place. */
  leave(): void {
    this.#active--;
    this.#admitWaiting();
  }

  /** Takes the latency of a request that was sent at `sentMs`. */
  sample(sentMs: number): void {
    this.#limit.sample(sentMs, this.nowMs);
  }

  get #hasRoom(): boolean {
    return this.#active < this.#limit.current;
  }

  #admit(counts: PriorityCounts): Place {
    counts.admitted++;
    this.#active++;
    this.#limit.noteActive(this.#active);
    return new Place(this);
  }

  #wait(priority: number, counts: PriorityCounts, request: GatedRequest): Promise<Place | undefined> {
    const queue = this.#queues[priority] as Set<Waiting>;
    return new Promise((resolve) => {
      const waiting: Waiting = {
        priority,
        cancelTimeout: this.#runtime.scheduler.after(this.#settings.queueTimeoutMs, () =>
          waiting.end("shed"),
        ),
        end: (how) => {
          if (!queue.delete(waiting)) return;
          this.#waitingCount--;
          waiting.cancelTimeout();
          if (how === "admitted") counts.waited++;
          else if (how === "shed") counts.shed++;
          resolve(how === "admitted" ? this.#admit(counts) : undefined);
        },
      };
      queue.add(waiting);
      this.#waitingCount++;
      request.onceFinished(() => waiting.end("left"));
    });
  }

  /** Sheds the longest wait of the last priority behind `priority`. */
  #makeRoomFor(priority: number): boolean {
    for (let last = PRIORITIES - 1; last > priority; last--) {
      const [oldest] = this.#queues[last] as Set<Waiting>;
      if (oldest === undefined) continue;
      oldest.end("shed");
      return true;
    }
    return false;
  }

  #admitWaiting(): void {
    while (this.#waitingCount > 0 && (this.#isOpen || this.#hasRoom || this.#settings.mode === "shadow")) {
      const first = this.#queues.find(({ size }) => size > 0) as Set<Waiting>;
      const [waiting] = first;
      waiting?.end("admitted");
    }
  }
}

/** A request's place among those under way. */
export class Place {
  readonly #gate: OverloadGate;
  #sentMs: number | undefined = undefined;
  #left = false;

  constructor(gate: OverloadGate) {
    this.#gate = gate;
  }

  /** The request goes upstream now; again for each try. */
  sent(): void {
    this.#sentMs = this.#gate.nowMs;
  }

  /** The response's head came, or the route's timeout. */
  answered(): void {
    if (this.#sentMs === undefined) return;
    this.#gate.sample(this.#sentMs);
    this.#sentMs = undefined;
  }

  /** Idempotent. */
  leave(): void {
    if (this.#left) return;
    this.#left = true;
    this.#gate.leave();
  }
}
