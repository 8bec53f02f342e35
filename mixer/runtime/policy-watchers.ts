// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { PolicyState, ProxyIdentity } from "../../api/mixer-service.ts";
import { messageOf } from "../../kernel/errors.ts";
import type { Logger, Scheduler } from "../../kernel/ports.ts";
import { ConnectedProxies } from "./connected-proxies.ts";

export interface PolicyWatchersOptions {
  readonly scheduler: Scheduler;
  readonly logger: Logger;
  /**
   * Number of mixers that serve the same proxies. Each counts its own proxies and assumes as many at each
   * other mixer.
   */
  readonly nodeCount: number;
  /** Maximum number of counted remote proxies per address; absent for the default of ConnectedProxies. */
  readonly proxiesPerAddress: number | undefined;
  /** The active policies; undefined before there are any. */
  readonly current: () => Pick<PolicyState, "version" | "policies"> | undefined;
}

/**
 * The proxies that watch the policy state: each gets every change of the policies and of the number of
 * proxies.
 */
export class PolicyWatchers {
  readonly #options: PolicyWatchersOptions;
  readonly #connectedProxies: ConnectedProxies;
  readonly #watchers = new Set<(state: PolicyState) => void>();
  #warnedUncounted = false;

  constructor(options: PolicyWatchersOptions) {
    const { scheduler, proxiesPerAddress } = options;
    this.#options = options;
    this.#connectedProxies = new ConnectedProxies({
      scheduler,
      onChange: () => this.announce(),
      onUncounted: (address) => this.#warnUncounted(address),
      ...(proxiesPerAddress === undefined ? {} : { maxPerAddress: proxiesPerAddress }),
    });
  }

  /** Number of proxies that watch this mixer. */
  get proxies(): number {
    return this.#connectedProxies.count;
  }

  /**
   * Calls the listener with the current state, if there is one, and after each change.
   *
   * @returns Function that ends the watch.
   */
  add(node: ProxyIdentity, listener: (state: PolicyState) => void): () => void {
    const leave = this.#connectedProxies.join(node);
    // A new function for each watch: the same listener may watch twice.
    const watcher = (state: PolicyState): void => listener(state);
    this.#watchers.add(watcher);
    const state = this.#state();
    if (state !== undefined) watcher(state);
    return () => {
      this.#watchers.delete(watcher);
      leave();
    };
  }

  /** Sends the current state to every watcher. */
  announce(): void {
    const state = this.#state();
    if (state === undefined) return;
    for (const watcher of this.#watchers) {
      try {
        watcher(state);
      } catch (error) {
        this.#options.logger.error("a watcher of policies threw", { error: messageOf(error) });
      }
    }
  }

  close(): void {
    this.#connectedProxies.close();
    this.#watchers.clear();
  }

  #state(): PolicyState | undefined {
    const current = this.#options.current();
    if (current === undefined) return undefined;
    const { version, policies } = current;
    return { version, proxies: Math.max(1, this.proxies) * this.#options.nodeCount, policies };
  }

  /** Warns once: a caller that invents proxies must not fill the log. */
  #warnUncounted(address: string): void {
    if (this.#warnedUncounted) return;
    this.#warnedUncounted = true;
    this.#options.logger.warn(
      "more proxies watch from one address than may count: shares of limits are too large while a store is away; raise --proxies-per-address when they are real",
      { address },
    );
  }
}
