// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { MixerService, PolicyState } from "../../api/mixer.ts";
import type { PolicyStateQuery } from "../../api/mixer-http.ts";
import { PurserError } from "../../core/kernel/errors.ts";
import type { Scheduler } from "../../core/kernel/ports.ts";

/** The polls that wait for a change. Each ends with the change, its wait, its client's going, or the drain. */
export class PolicyPolls {
  readonly #mixer: MixerService;
  readonly #scheduler: Scheduler;
  readonly #maxPolls: number;
  readonly #held = new Set<() => void>();
  #draining = false;

  /** @param maxPolls How many may wait at once; beyond it hold() refuses with PURSER_OVERLOADED. */
  constructor(mixer: MixerService, scheduler: Scheduler, maxPolls: number) {
    this.#mixer = mixer;
    this.#scheduler = scheduler;
    this.#maxPolls = maxPolls;
  }

  /**
   * The state as soon as it is another than the proxy has; undefined when that did not come in time.
   *
   * @param onGone Is given what to call when the client goes away.
   * @throws {PurserError} PURSER_OVERLOADED, PURSER_MIXER_UNAVAILABLE when there is no state to wait for a change of.
   */
  hold(query: PolicyStateQuery, onGone: (release: () => void) => void): Promise<PolicyState | undefined> {
    if (this.#held.size >= this.#maxPolls) {
      throw new PurserError("PURSER_OVERLOADED", `the mixer holds ${this.#maxPolls} polls already`);
    }
    return new Promise((resolve, reject) => {
      let known = false;
      let end: (() => void) | undefined;
      let settled = false;
      const settle = (state: PolicyState | undefined): void => {
        settled = true;
        end?.();
        if (known || state !== undefined) resolve(state);
        else reject(new PurserError("PURSER_MIXER_UNAVAILABLE", "the mixer has no documents yet"));
      };
      // The listener is called before watch() returns when there is a state already.
      const stop = this.#mixer.watch({ id: query.node }, (state) => {
        known = true;
        if (!settled && isNews(state, query)) settle(state);
      });
      if (settled) return stop();
      const release = (): void => settle(undefined);
      const cancel = this.#scheduler.after(query.waitMs, release);
      end = () => {
        stop();
        cancel();
        this.#held.delete(release);
      };
      this.#held.add(release);
      if (this.#draining || query.waitMs === 0) release();
      else onGone(() => !settled && release());
    });
  }

  /** Answers every held poll at once; later ones do not wait. */
  drain(): void {
    this.#draining = true;
    for (const release of this.#held) release();
  }
}

function isNews(state: PolicyState, { version, proxies }: PolicyStateQuery): boolean {
  return state.version !== version || (proxies !== undefined && state.proxies !== proxies);
}
