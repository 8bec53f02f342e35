// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { AttributeBag } from "../../core/attributes/bag.ts";
import { backoffMs } from "../../kernel/backoff.ts";
import { type Linked, LinkedList } from "../../kernel/linked-list.ts";
import { isPromise } from "../../kernel/maybe-promise.ts";
import type { Cancel, Runtime } from "../../kernel/ports.ts";
import type { PolicyClient, Recheck } from "../policy/check-result.ts";
import { type ExpiringStream, StreamExpiries } from "./stream-expiries.ts";

/** A stream that may stay open for hours: an upgraded connection, server-sent events, or a gRPC call. */
export interface LongStream extends ExpiringStream, Linked<LongStream> {
  /** The attributes that its request was decided by. */
  readonly attributes: AttributeBag;
  /** Whether this proxy decided about the request, so that changed policies are put to the stream. */
  readonly isDecidedHere: boolean;
  /** Closes the stream, because the policies refuse it now. */
  refuse(): void;
}

/** Longest turn of the event loop that goes into new decisions, in milliseconds. */
const MAX_SLICE_MS = 10;

/** Maximum number of decisions that the mixer makes at a time. */
const MAX_CALLS = 64;

/** Pauses between the tries at which the mixer could not be asked. */
const RETRY = { minMs: 200, baseMs: 200, maxMs: 30_000 };

/**
 * The long streams that are open. When the documents change, each is decided anew, with the attributes of its request
 * and without charging quotas; those that are refused now are closed, and the others go on. A stream whose client's
 * certificate or token expires is closed, too.
 */
export class LongStreams {
  /** Number of new decisions by outcome. An undecided stream goes on, and counts for each try. */
  readonly counts: Record<Recheck, number> = { allowed: 0, refused: 0, undecided: 0 };
  readonly expiries: StreamExpiries;
  readonly #policy: Pick<PolicyClient, "recheck" | "watchPolicies">;
  readonly #runtime: Runtime;
  readonly #streams = new LinkedList<LongStream>();
  readonly #stopWatching: () => void;
  /** Number of changes so far: a round ends when there is another. */
  #changes = 0;
  #running = false;
  #wake: (() => void) | undefined;
  #closed = false;

  constructor(policy: Pick<PolicyClient, "recheck" | "watchPolicies">, runtime: Runtime) {
    this.#policy = policy;
    this.#runtime = runtime;
    this.expiries = new StreamExpiries(runtime);
    this.#stopWatching = policy.watchPolicies(() => this.#onChange());
  }

  /** Number of streams that changed policies are put to. */
  get size(): number {
    return this.#streams.size;
  }

  add(stream: LongStream): void {
    if (stream.isDecidedHere) this.#streams.pushLast(stream);
    this.expiries.add(stream);
  }

  remove(stream: LongStream): void {
    this.#streams.remove(stream);
    this.expiries.remove(stream);
  }

  /** Decides nothing anew and closes no stream from now on. Idempotent. */
  close(): void {
    this.#closed = true;
    this.#stopWatching();
    this.expiries.close();
    this.#wake?.();
  }

  #onChange(): void {
    this.#changes++;
    this.#wake?.();
    if (this.#running || this.#streams.size === 0) return;
    this.#running = true;
    void this.#run().finally(() => {
      this.#running = false;
    });
  }

  async #run(): Promise<void> {
    let open: readonly LongStream[] = [...this.#streams];
    let failures = 0;
    for (;;) {
      const changes = this.#changes;
      const undecided = await this.#round(open, changes);
      if (this.#closed) return;
      if (changes !== this.#changes) {
        open = [...this.#streams];
        failures = 0;
      } else if (undecided.length > 0) {
        await this.#pause(backoffMs(++failures, this.#runtime.random, RETRY));
        open = changes === this.#changes ? undecided : [...this.#streams];
      } else return;
    }
  }

  /** Decides the streams anew, and returns those that could not be decided. */
  async #round(open: readonly LongStream[], changes: number): Promise<readonly LongStream[]> {
    const { clock, logger } = this.#runtime;
    const undecided: LongStream[] = [];
    const calls = new Set<Promise<void>>();
    const before = { ...this.counts };
    let sliceMs = clock.monotonicMs();
    for (const stream of open) {
      if (this.#closed || changes !== this.#changes) break;
      if (!stream.isListed) continue;
      const result = this.#policy.recheck(stream.attributes);
      if (isPromise(result)) {
        const call = result
          .then((known) => this.#take(stream, known, undecided))
          .finally(() => calls.delete(call));
        calls.add(call);
        if (calls.size >= MAX_CALLS) await Promise.race(calls);
      } else this.#take(stream, result, undecided);
      if (clock.monotonicMs() - sliceMs < MAX_SLICE_MS) continue;
      await this.#pause(0);
      sliceMs = clock.monotonicMs();
    }
    await Promise.all(calls);
    const refused = this.counts.refused - before.refused;
    if (refused > 0 || undecided.length > 0)
      logger.info("open streams were decided anew, since the policies changed", {
        closed: refused,
        allowed: this.counts.allowed - before.allowed,
        undecided: undecided.length,
      });
    return undecided;
  }

  #take(stream: LongStream, result: Recheck, undecided: LongStream[]): void {
    // A stream may have ended while the mixer decided.
    if (!stream.isListed) return;
    this.counts[result]++;
    if (result === "refused") stream.refuse();
    else if (result === "undecided") undecided.push(stream);
  }

  /** Ends early when the documents change again. */
  #pause(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      let cancel: Cancel = () => undefined;
      const end = (): void => {
        cancel();
        this.#wake = undefined;
        resolve();
      };
      cancel = this.#runtime.scheduler.after(delayMs, end);
      this.#wake = end;
    });
  }
}
