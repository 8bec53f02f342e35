// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { Resolver } from "node:dns/promises";
import { canonicalAddress } from "../../kernel/matching/ip-address.ts";
import { FileCache } from "./file-cache.ts";
import { parseHostsFile } from "./hosts-file.ts";
import type { NameAnswer, NameLookup } from "./name-lookup.ts";
import { candidatesOf, parseSearchList } from "./search-list.ts";

export interface DnsLookupOptions {
  /** Servers as `address` or `address:port`; default those of the system's resolv.conf. */
  readonly servers?: readonly string[];
  /** Default `/etc/hosts`. */
  readonly hostsFile?: string;
  /** Default `/etc/resolv.conf`. */
  readonly resolvConf?: string;
  /** Time for the first try of a query; default 1000. A second try follows, with more time. */
  readonly timeoutMs?: number;
}

const DEFAULT_TIMEOUT_MS = 1_000;

/** Codes of Node's errors for an answer without addresses: NXDOMAIN, and a name without records of the type. */
const NO_ADDRESS: ReadonlySet<unknown> = new Set(["ENOTFOUND", "ENODATA"]);

const NOTHING: NameAnswer = { addresses: [], ttlMs: undefined };

/**
 * Looks up names as Envoy's resolver does: in the hosts file, else by DNS with the search list of resolv.conf.
 * IPv6 addresses are asked for when there is no IPv4 address (Envoy's `V4_PREFERRED`). `localhost` and names
 * below it are loopback (RFC 6761, section 6.3).
 *
 * `getaddrinfo` gives no TTL, and would occupy the thread pool while a server does not answer. So other sources
 * of names that a system may have, such as mDNS, are not asked.
 */
export function createDnsLookup({
  servers,
  hostsFile = "/etc/hosts",
  resolvConf = "/etc/resolv.conf",
  timeoutMs = DEFAULT_TIMEOUT_MS,
}: DnsLookupOptions = {}): NameLookup {
  const hosts = new FileCache(hostsFile, parseHostsFile);
  const search = new FileCache(resolvConf, parseSearchList);
  return async (name, { signal }) => {
    const listed = (await hosts.read()).get(name);
    if (listed !== undefined) return { addresses: preferIpv4(listed), ttlMs: undefined };
    if (name === "localhost" || name.endsWith(".localhost"))
      return { addresses: ["127.0.0.1"], ttlMs: undefined };
    // A resolver reads the system's servers when it is made.
    const resolver = new Resolver({ timeout: timeoutMs, tries: 2 });
    if (servers !== undefined) resolver.setServers(servers);
    signal.addEventListener("abort", () => resolver.cancel());
    // A failure ends the search: a name further on may be another host's.
    for (const candidate of candidatesOf(name, await search.read())) {
      const answer = await askFor(resolver, candidate);
      if (answer.addresses.length > 0) return answer;
    }
    return NOTHING;
  };
}

async function askFor(resolver: Resolver, name: string): Promise<NameAnswer> {
  const v4 = await unlessAbsent(resolver.resolve4(name, { ttl: true }));
  return v4.addresses.length > 0 ? v4 : unlessAbsent(resolver.resolve6(name, { ttl: true }));
}

async function unlessAbsent(
  query: Promise<readonly { readonly address: string; readonly ttl: number }[]>,
): Promise<NameAnswer> {
  try {
    const records = await query;
    if (records.length === 0) return NOTHING;
    return {
      addresses: records.map(({ address }) => address),
      ttlMs: Math.min(...records.map(({ ttl }) => ttl)) * 1_000,
    };
  } catch (error) {
    if (NO_ADDRESS.has((error as NodeJS.ErrnoException).code)) return NOTHING;
    throw error;
  }
}

function preferIpv4(addresses: readonly string[]): readonly string[] {
  const v4 = addresses.filter((address) => canonicalAddress(address)?.includes(":") === false);
  return v4.length > 0 ? v4 : addresses;
}
