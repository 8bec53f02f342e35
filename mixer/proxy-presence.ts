// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Cancel, Scheduler } from "../core/kernel/ports.ts";

/**
 * How long a proxy counts after it stopped watching: a long poll ends and the next one begins, and a proxy that
 * reconnects must not change everybody's share twice.
 */
export const LINGER_MS = 15_000;

/** How long comings and goings are gathered before they are told: a mesh that starts up must not wake everybody for each. */
export const SETTLE_MS = 500;

/** Proxies known at most; those beyond are served but not counted. */
const MAX_PROXIES = 10_000;

/** Which proxies are there, by id: how many share a limit while nobody counts for all. */
export class ProxyPresence {
  readonly #scheduler: Scheduler;
  readonly #onChange: () => void;
  #cancelChange: Cancel | undefined;
  readonly #proxies = new Map<string, { watches: number; cancelLeave: Cancel | undefined }>();

  constructor(scheduler: Scheduler, onChange: () => void) {
    this.#scheduler = scheduler;
    this.#onChange = onChange;
  }

  get count(): number {
    return this.#proxies.size;
  }

  /** Returns what to call when the watch ends; calling it again does nothing. */
  join(id: string): () => void {
    const proxy = this.#proxies.get(id) ?? this.#add(id);
    if (proxy === undefined) return () => {};
    proxy.watches += 1;
    proxy.cancelLeave?.();
    proxy.cancelLeave = undefined;
    let joined = true;
    return () => {
      if (!joined) return;
      joined = false;
      proxy.watches -= 1;
      if (proxy.watches > 0) return;
      proxy.cancelLeave = this.#scheduler.after(LINGER_MS, () => {
        this.#proxies.delete(id);
        this.#changed();
      });
    };
  }

  close(): void {
    for (const { cancelLeave } of this.#proxies.values()) cancelLeave?.();
    this.#cancelChange?.();
    this.#proxies.clear();
  }

  #add(id: string) {
    if (this.#proxies.size >= MAX_PROXIES) return undefined;
    const proxy = { watches: 0, cancelLeave: undefined as Cancel | undefined };
    this.#proxies.set(id, proxy);
    this.#changed();
    return proxy;
  }

  #changed(): void {
    this.#cancelChange ??= this.#scheduler.after(SETTLE_MS, () => {
      this.#cancelChange = undefined;
      this.#onChange();
    });
  }
}
