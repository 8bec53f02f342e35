// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { ProxyIdentity } from "../../api/mixer-service.ts";
import { isAddress, parseBlock } from "../../kernel/matching/ip-blocks.ts";
import type { Cancel, Scheduler } from "../../kernel/ports.ts";

/**
 * How long a proxy counts after its watch ended: between two long polls, or while it reconnects, the shares
 * of all other proxies must not change.
 */
export const LINGER_MS = 15_000;

/**
 * How long changes of the count are gathered before they are announced: the start of a mesh must not wake
 * every proxy for each newcomer.
 */
export const SETTLE_MS = 500;

/**
 * How long a remote proxy must have watched before it counts, with gaps of at most GAP_MS. A proxy polls
 * again within milliseconds, and a stray request must not shrink the share of every proxy.
 */
export const PROVE_MS = 2_000;
export const GAP_MS = 1_000;

/**
 * Default maximum number of counted remote proxies per address (per /64 in IPv6): any caller may invent proxy
 * names.
 */
export const DEFAULT_PROXIES_PER_ADDRESS = 16;

/** Maximum number of proxies known; further proxies are served but not counted. */
const MAX_PROXIES = 10_000;

export interface PresenceOptions {
  readonly scheduler: Scheduler;
  /** Called some time after the count changed. */
  readonly onChange: () => void;
  /** Called for each watch that is not counted because its address has the maximum number of proxies. */
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

/**
 * The proxies that watch this mixer, by id. Their number is how many share a limit when each must count for
 * itself.
 */
export class ConnectedProxies {
  readonly #options: PresenceOptions;
  readonly #maxPerAddress: number;
  readonly #proxies = new Map<string, Presence>();
  /** Number of proxies of each network, including those that do not count yet. */
  readonly #networks = new Map<string, number>();
  #cancelChange: Cancel | undefined;
  #count = 0;

  constructor(options: PresenceOptions) {
    this.#options = options;
    this.#maxPerAddress = options.maxPerAddress ?? DEFAULT_PROXIES_PER_ADDRESS;
  }

  /** Number of proxies that count. */
  get count(): number {
    return this.#count;
  }

  /**
   * Begins a proxy's watch. A proxy in this process, which has no address, counts at once; a remote proxy
   * counts once it has watched for PROVE_MS, up to `maxPerAddress` per address.
   *
   * @returns Function that ends the watch; idempotent.
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

  /** Returns whether there was room for another proxy of the network. */
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

/** The address in IPv4, the /64 prefix in IPv6: one host may have a whole /64 (RFC 4291, section 2.5.4). */
function networkOf(address: string): string {
  if (!isAddress(address)) return address;
  const { bytes } = parseBlock(address);
  return bytes.slice(0, 8).join(".");
}
