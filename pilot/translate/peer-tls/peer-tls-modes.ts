// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { TrafficDocuments } from "../../../core/snapshot/snapshot.ts";
import type { Workload } from "../workload.ts";
import { PeerPolicies, type PeerTlsMode } from "./peer-policies.ts";

/** The two sides of mutual TLS, which differ while a change of the PeerAuthentications is on its way to the proxies. */
export interface PeerTlsModes {
  /** Of a sidecar's inbound listener on `port`. */
  ofServer(workload: Workload, port: number): PeerTlsMode;
  /** By which the callers of the workload's port speak: plain text for `disable`. */
  ofClients(workload: Workload, port: number): PeerTlsMode;
}

/** Both sides as the documents say: no change is on its way. */
export function settledModes(
  documents: Pick<TrafficDocuments, "peerAuthentications" | "rootNamespace">,
): PeerTlsModes {
  const policies = new PeerPolicies(documents);
  return changingModes(policies, [policies]);
}

/**
 * @param ofClients What the callers follow.
 * @param accepted What callers may follow still: servers accept each of these.
 */
export function changingModes(ofClients: PeerPolicies, accepted: readonly PeerPolicies[]): PeerTlsModes {
  return {
    ofClients: (workload, port) => ofClients.modeOf(workload, port),
    ofServer(workload, port) {
      const [mode = "disable", ...others] = new Set(accepted.map((each) => each.modeOf(workload, port)));
      return others.length === 0 ? mode : "permissive";
    },
  };
}
