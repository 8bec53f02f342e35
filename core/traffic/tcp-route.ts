// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { type AddressSet, createAddressSet, parseBlock } from "../../kernel/matching/ip-blocks.ts";
import { compareExactness, hostCovers } from "./host-name.ts";
import type { TcpRoute, TcpRouteTable } from "./resources/tcp.ts";

/** The facts by which a connection's route is found. */
export interface TcpConnectionFacts {
  /** The server name (SNI), in lower case; undefined without one. */
  readonly serverName: string | undefined;
  /** The address that the client called, in canonical form. */
  readonly localIp: string;
}

/** One way in which a connection can match a route. */
interface Candidate {
  readonly route: TcpRoute;
  /** `*` for any name or none. */
  readonly serverName: string;
  /** Undefined for any address. */
  readonly addresses: AddressSet | undefined;
  /** Length of the block's prefix in bits; -1 for any address. */
  readonly prefixBits: number;
}

/** The routes of connections, compiled once. */
export class CompiledTcpTable {
  /** The most specific first. */
  readonly #candidates: readonly Candidate[];

  /** @throws Error for a subnet that is not an address or a block. */
  constructor({ routes }: TcpRouteTable) {
    this.#candidates = routes
      .flatMap(candidatesOf)
      .toSorted((a, b) => b.prefixBits - a.prefixBits || compareExactness(a.serverName, b.serverName));
  }

  /**
   * The route of a connection, as Envoy finds its filter chain: the longest prefix of the called address decides, then the
   * most exact server name, then the order of the documents. A client without a server name matches `*` alone.
   */
  match({ serverName, localIp }: TcpConnectionFacts): TcpRoute | undefined {
    return this.#candidates.find(
      (candidate) =>
        (candidate.serverName === "*" ||
          (serverName !== undefined && hostCovers(candidate.serverName, serverName))) &&
        candidate.addresses?.has(localIp) !== false,
    )?.route;
  }
}

const ANY_NAME = ["*"] as const;
const ANY_CONNECTION = [{ serverNames: [], destinationSubnets: [] }] as const;

function candidatesOf(route: TcpRoute): readonly Candidate[] {
  const matches = route.matches.length === 0 ? ANY_CONNECTION : route.matches;
  return matches.flatMap(({ serverNames, destinationSubnets }) =>
    (serverNames.length === 0 ? ANY_NAME : serverNames).flatMap((serverName): Candidate[] => {
      if (destinationSubnets.length === 0)
        return [{ route, serverName, addresses: undefined, prefixBits: -1 }];
      return destinationSubnets.map((subnet) => {
        const block = parseBlock(subnet);
        return { route, serverName, addresses: createAddressSet([block]), prefixBits: block.prefixBits };
      });
    }),
  );
}
