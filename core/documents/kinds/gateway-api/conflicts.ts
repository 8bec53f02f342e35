// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { carriedBy } from "../port-protocols.ts";
import type { ListenerSpec } from "./gateway.ts";

/**
 * The listeners that an edge cannot serve beside earlier ones: a port has HTTP, bytes or TLS, and a host with TLS has one
 * certificate. In Kubernetes each Gateway has edges of its own, so that Gateways with equal ports are no fault.
 */
export function conflictedListeners(listeners: readonly ListenerSpec[]): ReadonlySet<ListenerSpec> {
  const carriedOf = new Map<number, string>();
  const hosts = new Set<string>();
  return new Set(
    listeners.filter(({ port, protocol, hostname = "*" }) => {
      if (protocol === "UDP") return false;
      const carried = carriedBy(protocol);
      const earlier = carriedOf.get(port);
      carriedOf.set(port, earlier ?? carried);
      if (earlier !== undefined && earlier !== carried) return true;
      if (carried !== "tls") return false;
      const host = `${port} ${hostname}`;
      const isTaken = hosts.has(host);
      hosts.add(host);
      return isTaken;
    }),
  );
}
