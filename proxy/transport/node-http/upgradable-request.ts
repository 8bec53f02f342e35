// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { IncomingMessage } from "node:http";

/**
 * The class of a server's requests, which tells node:http whether a request upgrades. node:http reads
 * `upgrade` after the headers; on its own it hands over every request with an Upgrade field, whatever the
 * protocol, as soon as the server has an upgrade listener.
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

/**
 * The protocol that a request may upgrade to. A request with a body may not: its body would be read as the
 * protocol's bytes.
 */
export function upgradeOf(request: IncomingMessage, protocols: readonly string[]): string | undefined {
  const { headers, httpVersion } = request;
  const protocol = headers.upgrade?.toLowerCase();
  if (protocol === undefined || !protocols.includes(protocol) || httpVersion !== "1.1") return undefined;
  return hasBody(request) ? undefined : protocol;
}

/** Whether a request has a body, according to its framing. */
export function hasBody({ headers }: IncomingMessage): boolean {
  return headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) > 0;
}
