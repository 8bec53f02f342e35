// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { ProxyNode } from "../../../api/pilot-service.ts";
import type { Listener } from "../../../core/traffic/resources/listener.ts";
import type { PeerTlsMode } from "./peer-policies.ts";

/**
 * The field `peerTls` of a sidecar's inbound listener. A sidecar without a certificate cannot accept TLS, but in the mode
 * `strict` it must still refuse plain text.
 */
export function listenerPeerTls(
  mode: PeerTlsMode,
  { mtls = false }: Pick<ProxyNode, "mtls">,
  trustDomains: readonly string[],
): Pick<Listener, "peerTls"> {
  if (mode === "disable" || (mode === "permissive" && !mtls)) return {};
  return { peerTls: { mode, trustDomains } };
}
