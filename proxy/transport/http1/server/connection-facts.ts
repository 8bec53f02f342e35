// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Socket } from "node:net";

import { canonicalAddress } from "../../../../kernel/matching/ip-address.ts";
import type { ProxyHeader } from "../../proxy-protocol/header-result.ts";
import type { ConnectionFacts, TlsFacts } from "../../contract/connection.ts";

/**
 * The facts of a client's socket, read while it is open.
 *
 * @param ends The addresses that a load balancer in front has told.
 */
export function connectionFacts(
  socket: Socket,
  id: string,
  tls: TlsFacts | undefined,
  ends: ProxyHeader["ends"],
): ConnectionFacts {
  return {
    id,
    remoteIp: ends?.source.ip ?? canonicalAddress(socket.remoteAddress ?? "") ?? "",
    remotePort: ends?.source.port ?? socket.remotePort ?? 0,
    localIp: ends?.destination.ip ?? canonicalAddress(socket.localAddress ?? "") ?? "",
    localPort: ends?.destination.port ?? socket.localPort ?? 0,
    tls,
  };
}
