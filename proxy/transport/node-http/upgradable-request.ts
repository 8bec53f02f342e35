// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { IncomingMessage } from "node:http";

/**
 * The class of a server's requests, which says to node:http whether a request leaves HTTP. node:http asks `upgrade` once the
 * headers are there, and by itself answers yes for any protocol as soon as a server takes upgrades at all.
 *
 * @param protocols in lower case.
 */
export function upgradableRequest(protocols: readonly string[]): typeof IncomingMessage {
  return class extends IncomingMessage {
    /** Whether the parser saw `Upgrade` with `Connection: upgrade`, or CONNECT. */
    parsedUpgrade = false;

    get upgrade(): boolean {
      if (!this.parsedUpgrade) return false;
      return this.method === "CONNECT" || upgradeOf(this, protocols) !== undefined;
    }

    set upgrade(value: boolean | null) {
      this.parsedUpgrade = value === true;
    }
  };
}

/** The protocol that a request may leave HTTP for. A request with a body stays, since its body would be taken for the protocol. */
export function upgradeOf(request: IncomingMessage, protocols: readonly string[]): string | undefined {
  const { headers, httpVersion } = request;
  const protocol = headers.upgrade?.toLowerCase();
  if (protocol === undefined || !protocols.includes(protocol) || httpVersion !== "1.1") return undefined;
  return hasBody(request) ? undefined : protocol;
}

/** Whether a request has a body, by its framing. */
export function hasBody({ headers }: IncomingMessage): boolean {
  return headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) > 0;
}
