// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Clock, Logger, Scheduler } from "../../kernel/ports.ts";
import { RefCounted } from "../../kernel/ref-counted.ts";
import { Generation, type GenerationParts } from "./active-snapshot.ts";
import type { Handler } from "./handlers/handler.ts";

/** How long requests may keep a replaced snapshot's handlers alive, and how long such a handler may take to close; Mixer's own. */
const DRAIN_DEADLINE_MS = 10_000;

/**
 * The generation in force and those that still drain: swap, then drain. A handler ends when no generation needs it any
 * more, which may be many snapshots after the one that it was built for.
 */
export class Generations {
  readonly #world: { readonly clock: Clock; readonly scheduler: Scheduler; readonly logger: Logger };
  #current: Generation | undefined;
  /** Replaced and not yet over, with what ends them. */
  readonly #draining = new Map<Generation, () => void>();
  /** Held by each generation that needs the handler. */
  readonly #handlers = new Map<Handler, RefCounted>();
  readonly #closings = new Map<Handler, Promise<void>>();
  #onDrained: (() => void) | undefined;
  /** When the mixer ends, on the monotonic clock: no drain or close that is under way may take longer. */
  #endMs = Number.POSITIVE_INFINITY;

  constructor(world: { readonly clock: Clock; readonly scheduler: Scheduler; readonly logger: Logger }) {
    this.#world = world;
  }

  get current(): Generation | undefined {
    return this.#current;
  }

  /** Makes a generation of the parts and puts it in force; the one before it begins to drain. */
  swap(parts: GenerationParts): void {
    const generation: Generation = new Generation(parts, () => this.#draining.get(generation)?.());
    for (const handler of handlersOf(generation)) this.#holdHandler(handler);
    const previous = this.#current;
    this.#current = generation;
    if (previous !== undefined) this.#drain(previous, DRAIN_DEADLINE_MS);
  }

  /** Ends handlers that no generation ever had: those of a snapshot that was refused. */
  discard(handlers: readonly Handler[]): void {
    for (const handler of handlers) this.#closeHandler(handler);
  }

  /** Drains all and resolves when every handler is closed: within the deadline, whatever they do. */
  async close(deadlineMs: number): Promise<void> {
    this.#endMs = this.#world.clock.monotonicMs() + deadlineMs;
    // Handlers that were replaced before had longer.
    for (const handler of this.#closings.keys()) void handler.close(deadlineMs);
    // Half for the calls under way, the other half for delivering what they reported.
    const halfMs = deadlineMs / 2;
    if (this.#current !== undefined) this.#drain(this.#current, halfMs);
    await this.#drained(halfMs);
    for (const end of this.#draining.values()) end();
    await Promise.all(this.#closings.values());
  }

  /** Ends a generation when its requests are over, or when the deadline has passed. */
  #drain(generation: Generation, deadlineMs: number): void {
    const end = (): void => {
      if (!this.#draining.delete(generation)) return;
      cancel();
      for (const handler of handlersOf(generation)) this.#handlers.get(handler)?.release();
      if (this.#draining.size === 0) this.#onDrained?.();
    };
    const cancel = this.#world.scheduler.after(deadlineMs, () => {
      this.#world.logger.warn("requests still hold a replaced snapshot; its handlers are closed under them", {
        version: generation.snapshot.version,
      });
      end();
    });
    this.#draining.set(generation, end);
    generation.release();
  }

  #drained(deadlineMs: number): Promise<void> {
    if (this.#draining.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const cancel = this.#world.scheduler.after(deadlineMs, resolve);
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
    const leftMs = Math.max(0, this.#endMs - this.#world.clock.monotonicMs());
    const closing = handler
      .close(Math.min(DRAIN_DEADLINE_MS, leftMs))
      .finally(() => this.#closings.delete(handler));
    this.#closings.set(handler, closing);
  }
}

function handlersOf({ table }: Generation): readonly Handler[] {
  return [...table.entries.values()].map(({ handler }) => handler);
}
