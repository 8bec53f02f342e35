// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { ProxyNode } from "../api/pilot.ts";
import { PurserError } from "../core/kernel/errors.ts";
import type { Scheduler } from "../core/kernel/ports.ts";
import type { ProxyConfig } from "../core/traffic/model.ts";
import type { Pilot } from "./pilot.ts";

export interface PollRequest {
  readonly node: ProxyNode;
  /** What the proxy has. */
  readonly version?: string;
  readonly waitMs: number;
}

/** The requests that wait for a change. Each ends with the change, its wait, its client's going, or the drain. */
export class LongPolls {
  readonly #pilot: Pilot;
  readonly #scheduler: Scheduler;
  readonly #maxPolls: number;
  readonly #held = new Set<() => void>();
  #draining = false;

  /** @param maxPolls How many may wait at once; beyond it hold() refuses with PURSER_OVERLOADED. */
  constructor(pilot: Pilot, scheduler: Scheduler, maxPolls: number) {
    this.#pilot = pilot;
    this.#scheduler = scheduler;
    this.#maxPolls = maxPolls;
  }

  get heldCount(): number {
    return this.#held.size;
  }

  /**
   * The node's configuration as soon as it is another than the one it has; undefined when that did not come in time.
   *
   * @param onGone Is given what to call when the client goes away.
   * @throws {PurserError} PURSER_OVERLOADED, PURSER_DRAINING.
   */
  hold(
    { node, version, waitMs }: PollRequest,
    onGone: (release: () => void) => void,
  ): Promise<ProxyConfig | undefined> {
    if (this.#draining) throw new PurserError("PURSER_DRAINING", "Pilot is shutting down");
    if (this.#held.size >= this.#maxPolls) {
      throw new PurserError("PURSER_OVERLOADED", `Pilot holds ${this.#maxPolls} polls already`);
    }
    return new Promise((resolve) => {
      const cleanUps: (() => void)[] = [];
      let settled = false;
      const settle = (config: ProxyConfig | undefined) => {
        settled = true;
        for (const cleanUp of cleanUps) cleanUp();
        resolve(config);
      };
      const release = () => settle(undefined);
      // The listener may be called before watch() returns, when there is something to clean up for it alone.
      const stop = this.#pilot.watch(node, (config) => {
        if (!settled && config.version !== version) settle(config);
      });
      if (settled || waitMs === 0) {
        stop();
        resolve(undefined);
        return;
      }
      this.#held.add(release);
      cleanUps.push(stop, this.#scheduler.after(waitMs, release), () => this.#held.delete(release));
      onGone(release);
    });
  }

  /** Answers every held poll at once, and refuses further ones. */
  drain(): void {
    this.#draining = true;
    for (const release of this.#held) release();
  }
}
