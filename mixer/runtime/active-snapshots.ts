// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Clock, Logger, Scheduler } from "../../kernel/ports.ts";
import { RefCounted } from "../../kernel/ref-counted.ts";
import { ActiveSnapshot, type ActiveSnapshotParts } from "./active-snapshot.ts";
import type { Handler } from "./handlers/handler.ts";

/**
 * Maximum time that requests keep a replaced snapshot's handlers alive, and that such a handler takes to
 * close; Mixer's default.
 */
const DRAIN_DEADLINE_MS = 10_000;

/**
 * The active snapshot, and replaced ones that still drain. A handler is closed when no snapshot needs it any
 * more, which may be many snapshots after the one that it was built for.
 */
export class ActiveSnapshots {
  readonly #runtime: { readonly clock: Clock; readonly scheduler: Scheduler; readonly logger: Logger };
  #current: ActiveSnapshot | undefined;
  /** Replaced snapshots with requests under way, each with the function that ends it. */
  readonly #draining = new Map<ActiveSnapshot, () => void>();
  /** Reference counts: each snapshot that needs a handler holds it once. */
  readonly #handlers = new Map<Handler, RefCounted>();
  readonly #closings = new Map<Handler, Promise<void>>();
  #onDrained: (() => void) | undefined;
  /** End of the mixer on the monotonic clock: the deadline of every drain and close under way. */
  #endMs = Number.POSITIVE_INFINITY;

  constructor(runtime: { readonly clock: Clock; readonly scheduler: Scheduler; readonly logger: Logger }) {
    this.#runtime = runtime;
  }

  get current(): ActiveSnapshot | undefined {
    return this.#current;
  }

  /** Puts a snapshot in force; the previous one begins to drain. */
  swap(parts: ActiveSnapshotParts): void {
    const active: ActiveSnapshot = new ActiveSnapshot(parts, () => this.#draining.get(active)?.());
    for (const handler of handlersOf(active)) this.#holdHandler(handler);
    const previous = this.#current;
    this.#current = active;
    if (previous !== undefined) this.#drain(previous, DRAIN_DEADLINE_MS);
  }

  /** Closes the handlers of a snapshot that was refused. */
  discard(handlers: readonly Handler[]): void {
    for (const handler of handlers) this.#closeHandler(handler);
  }

  /** Drains every snapshot; resolves when every handler is closed, at the deadline at the latest. */
  async close(deadlineMs: number): Promise<void> {
    this.#endMs = this.#runtime.clock.monotonicMs() + deadlineMs;
    // Handlers of replaced snapshots were closing with a longer deadline.
    for (const handler of this.#closings.keys()) void handler.close(deadlineMs);
    // Calls under way get half of the time; delivering their reports gets the other half.
    const halfMs = deadlineMs / 2;
    if (this.#current !== undefined) this.#drain(this.#current, halfMs);
    await this.#drained(halfMs);
    for (const end of this.#draining.values()) end();
    await Promise.all(this.#closings.values());
  }

  /** Ends a replaced snapshot when its requests are over, at the deadline at the latest. */
  #drain(active: ActiveSnapshot, deadlineMs: number): void {
    const end = (): void => {
      if (!this.#draining.delete(active)) return;
      cancel();
      for (const handler of handlersOf(active)) this.#handlers.get(handler)?.release();
      if (this.#draining.size === 0) this.#onDrained?.();
    };
    const cancel = this.#runtime.scheduler.after(deadlineMs, () => {
      this.#runtime.logger.warn(
        "requests still hold a replaced snapshot; its handlers are closed under them",
        {
          version: active.snapshot.version,
        },
      );
      end();
    });
    this.#draining.set(active, end);
    active.release();
  }

  #drained(deadlineMs: number): Promise<void> {
    if (this.#draining.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const cancel = this.#runtime.scheduler.after(deadlineMs, resolve);
      this.#onDrained = () => {
        cancel();
        resolve();
      };
    });
  }

  #holdHandler(handler: Handler): void {
    const references = this.#handlers.get(handler);
    if (references !== undefined) return references.hold();
    const onUnused = (): void => {
      this.#handlers.delete(handler);
      this.#closeHandler(handler);
    };
    this.#handlers.set(handler, new RefCounted(onUnused));
  }

  #closeHandler(handler: Handler): void {
    const leftMs = Math.max(0, this.#endMs - this.#runtime.clock.monotonicMs());
    const closing = handler
      .close(Math.min(DRAIN_DEADLINE_MS, leftMs))
      .finally(() => this.#closings.delete(handler));
    this.#closings.set(handler, closing);
  }
}

function handlersOf({ table }: ActiveSnapshot): readonly Handler[] {
  return [...table.entries.values()].map(({ handler }) => handler);
}
