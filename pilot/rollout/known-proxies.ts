// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Clock } from "../../kernel/ports.ts";

/** Time after which a proxy that watches no more is forgotten. A proxy polls again within seconds. */
const FORGET_MS = 60_000;

/** A proxy in this process applies an update soon after the call, and does not say so. */
const APPLY_MS = 2_000;

interface Known {
  /** Number of its watches now: 0 between two polls. */
  watches: number;
  /** Monotonic time of the end of the last watch. */
  leftAtMs: number;
  /** The newest generation that the proxy is known to have. */
  acked: number;
  /** The generation that its watch has: declared by the proxy, or sent to it at `sentAtMs`. */
  current: number;
  sentAtMs: number | undefined;
}

/**
 * The proxies that watch pilot, and the generation of resources that each has. A proxy says by the versions of its next
 * poll that it has an update; a proxy in this process stays subscribed, and is taken to have it after 2 s.
 */
export class KnownProxies {
  readonly #clock: Pick<Clock, "monotonicMs">;
  /** By the node's id. Proxies that have left are forgotten, so that the bound is pilot's number of watchers. */
  readonly #known = new Map<string, Known>();

  constructor(clock: Pick<Clock, "monotonicMs">) {
    this.#clock = clock;
  }

  /** A watch begins. */
  join(id: string): void {
    const known = this.#known.get(id) ?? {
      watches: 0,
      leftAtMs: 0,
      acked: -1,
      current: -1,
      sentAtMs: undefined,
    };
    known.watches++;
    known.sentAtMs = undefined;
    this.#known.set(id, known);
  }

  /** A watch ends. */
  leave(id: string): void {
    const known = this.#known.get(id);
    if (known === undefined) return;
    known.watches--;
    known.leftAtMs = this.#clock.monotonicMs();
  }

  /** The watch of the proxy has the resources of `generation`; `isNew`: they were sent to it just now. */
  has(id: string, generation: number, isNew: boolean): void {
    const known = this.#known.get(id);
    if (known === undefined) return;
    known.current = generation;
    if (isNew) known.sentAtMs = this.#clock.monotonicMs();
    else if (known.sentAtMs === undefined) known.acked = generation;
  }

  /** The ids of proxies that are not known to have the generation. */
  lagging(generation: number): readonly string[] {
    const nowMs = this.#clock.monotonicMs();
    const ids: string[] = [];
    for (const [id, known] of this.#known) {
      if (known.watches === 0 && nowMs - known.leftAtMs > FORGET_MS) this.#known.delete(id);
      else if (!hasApplied(known, generation, nowMs)) ids.push(id);
    }
    return ids;
  }
}

function hasApplied(
  { acked, current, watches, sentAtMs }: Known,
  generation: number,
  nowMs: number,
): boolean {
  if (acked >= generation) return true;
  return watches > 0 && current >= generation && sentAtMs !== undefined && nowMs - sentAtMs >= APPLY_MS;
}
