// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Socket } from "node:net";

import { canonicalAddress } from "../../../../kernel/matching/ip-address.ts";
import type { ConnectionFacts, TlsFacts } from "../../contract/connection.ts";

/** The facts of a client's socket, read while it is open. */
export function connectionFacts(socket: Socket, id: string, tls: TlsFacts | undefined): ConnectionFacts {
  return {
    id,
    remoteIp: canonicalAddress(socket.remoteAddress ?? "") ?? "",
    remotePort: socket.remotePort ?? 0,
    localIp: canonicalAddress(socket.localAddress ?? "") ?? "",
    localPort: socket.localPort ?? 0,
    tls,
  };
}
