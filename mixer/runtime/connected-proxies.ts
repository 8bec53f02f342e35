// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { ProxyIdentity } from "../../api/mixer-service.ts";
import { isAddress, parseBlock } from "../../kernel/matching/ip-blocks.ts";
import type { Cancel, Scheduler } from "../../kernel/ports.ts";

/**
 * How long a proxy counts after it stopped watching: a long poll ends and the next one begins, and a proxy that
 * reconnects must not change everybody's share twice.
 */
export const LINGER_MS = 15_000;

/** How long comings and goings are gathered before they are told: a mesh that starts up must not wake everybody for each. */
export const SETTLE_MS = 500;

/**
 * How long a remote proxy must have watched before it counts, with gaps of at most GAP_MS: a proxy polls again within
 * milliseconds, and a single request of anybody's must not shrink everybody's share.
 */
export const PROVE_MS = 2_000;
export const GAP_MS = 1_000;

/** Remote proxies counted of one address (of one /64 in IPv6) unless told otherwise: whoever calls may invent names. */
export const DEFAULT_PROXIES_PER_ADDRESS = 16;

/** Proxies known at most; those beyond are served but not counted. */
const MAX_PROXIES = 10_000;

export interface PresenceOptions {
  readonly scheduler: Scheduler;
  /** Called some time after the count changed. */
  readonly onChange: () => void;
  /** Called for each watch that is not counted because its address has as many proxies as may count. */
  readonly onUncounted: (address: string) => void;
  /** Default DEFAULT_PROXIES_PER_ADDRESS. */
  readonly maxPerAddress?: number;
}

interface Presence {
  /** Undefined for a proxy in this process. */
  readonly network: string | undefined;
  watches: number;
  counts: boolean;
  cancelProof: Cancel | undefined;
  cancelLeave: Cancel | undefined;
}

/** Which proxies are there, by id: how many share a limit while nobody counts for all. */
export class ConnectedProxies {
  readonly #options: PresenceOptions;
  readonly #maxPerAddress: number;
  readonly #proxies = new Map<string, Presence>();
  /** Proxies of each network, those that do not count yet too. */
  readonly #networks = new Map<string, number>();
  #cancelChange: Cancel | undefined;
  #count = 0;

  constructor(options: PresenceOptions) {
    this.#options = options;
    this.#maxPerAddress = options.maxPerAddress ?? DEFAULT_PROXIES_PER_ADDRESS;
  }

  /** How many proxies count. */
  get count(): number {
    return this.#count;
  }

  /**
   * A proxy's watch begins. A proxy in this process, which has no address, counts at once; a remote one when it has watched
   * for PROVE_MS, and only so many of one address.
   *
   * @returns What to call when the watch ends; calling it again does nothing.
   */
  join({ id, address }: ProxyIdentity): () => void {
    const proxy = this.#proxies.get(id) ?? this.#add(id, address);
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
      const lingerMs = proxy.counts ? LINGER_MS : GAP_MS;
      proxy.cancelLeave = this.#options.scheduler.after(lingerMs, () => this.#remove(id, proxy));
    };
  }

  close(): void {
    for (const { cancelLeave, cancelProof } of this.#proxies.values()) {
      cancelLeave?.();
      cancelProof?.();
    }
    this.#cancelChange?.();
    this.#proxies.clear();
    this.#networks.clear();
    this.#count = 0;
  }

  #add(id: string, address: string | undefined): Presence | undefined {
    if (this.#proxies.size >= MAX_PROXIES) return undefined;
    const network = address === undefined ? undefined : networkOf(address);
    if (network !== undefined && !this.#enter(network)) {
      this.#options.onUncounted(address as string);
      return undefined;
    }
    const proxy: Presence = {
      network,
      watches: 0,
      counts: false,
      cancelProof: undefined,
      cancelLeave: undefined,
    };
    this.#proxies.set(id, proxy);
    if (network === undefined) this.#begins(proxy);
    else proxy.cancelProof = this.#options.scheduler.after(PROVE_MS, () => this.#begins(proxy));
    return proxy;
  }

  #begins(proxy: Presence): void {
    proxy.counts = true;
    this.#count += 1;
    this.#changed();
  }

  #remove(id: string, proxy: Presence): void {
    this.#proxies.delete(id);
    proxy.cancelProof?.();
    if (proxy.network !== undefined) this.#leave(proxy.network);
    if (!proxy.counts) return;
    this.#count -= 1;
    this.#changed();
  }

  /** Whether there was room for one more of that network. */
  #enter(network: string): boolean {
    const count = this.#networks.get(network) ?? 0;
    if (count >= this.#maxPerAddress) return false;
    this.#networks.set(network, count + 1);
    return true;
  }

  #leave(network: string): void {
    const count = this.#networks.get(network) ?? 0;
    if (count > 1) this.#networks.set(network, count - 1);
    else this.#networks.delete(network);
  }

  #changed(): void {
    this.#cancelChange ??= this.#options.scheduler.after(SETTLE_MS, () => {
      this.#cancelChange = undefined;
      this.#options.onChange();
    });
  }
}

/** An IPv4 address whole, of an IPv6 address the first 64 bits: a host may have all of the rest (RFC 4291, 2.5.4). */
function networkOf(address: string): string {
  if (!isAddress(address)) return address;
  const { bytes } = parseBlock(address);
  return bytes.slice(0, 8).join(".");
}
