// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Listener } from "../../core/traffic/resources/listener.ts";
import type { Clock, Logger } from "../../kernel/ports.ts";
import type { HandshakeResult } from "../transport/contract/tls.ts";

/** Results that say that a caller is not a peer of the mesh, each with the message of its log line. */
const REFUSALS: Partial<Record<HandshakeResult, string>> = {
  not_tls: "plain text was refused, since the workload demands mutual TLS",
  client_certificate_missing: "a caller without a certificate was refused",
  client_certificate_invalid:
    "a caller was refused, since its certificate is not one of the mesh, or is revoked",
  no_certificate: "a caller was refused, since this proxy has no workload certificate",
};

/** Time between two lines of one listener and result: an attacker must not fill the log. */
const INTERVAL_MS = 60_000;

/** Logs the callers that a listener with mutual TLS refuses: the first of each kind, and at most one a minute. */
export class PeerRefusalLog {
  /** By listener and result: listeners are few, and results a fixed set. */
  readonly #loggedAtMs = new Map<string, number>();

  onHandshake(
    { name, peerTls }: Listener,
    result: HandshakeResult,
    { logger, clock }: { readonly logger: Logger; readonly clock: Pick<Clock, "monotonicMs"> },
  ): void {
    const message = peerTls === undefined ? undefined : REFUSALS[result];
    if (message === undefined) return;
    const key = `${name} ${result}`;
    const nowMs = clock.monotonicMs();
    if (nowMs - (this.#loggedAtMs.get(key) ?? -Infinity) < INTERVAL_MS) return;
    this.#loggedAtMs.set(key, nowMs);
    logger.warn(message, { listener: name, result });
  }
}
