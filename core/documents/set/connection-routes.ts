// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Diagnostic } from "../../../kernel/diagnostic.ts";
import { canonicalHost, hostIntersection } from "../../traffic/host-name.ts";
import { documentsOf, faultAt, type ParsedDocument } from "../document.ts";
import { carriedBy } from "../kinds/port-protocols.ts";
import { GATEWAY, type GatewayServerSpec, type GatewaySpec } from "../kinds/gateway.ts";
import { displayName } from "../kinds/kind.ts";
import { VIRTUAL_SERVICE } from "../kinds/virtual-service.ts";
import { MESH_GATEWAY, type VirtualServiceSpec } from "../kinds/virtual-service-schema.ts";
import type { ConnectionMatchSpec } from "../kinds/virtual-service-tcp.ts";
import type { DocumentPath } from "../yaml/places.ts";
import type { DocumentSet } from "./document-set.ts";
import { EgressListeners } from "./egress-listeners.ts";

/** One match of a connection route. */
interface Match {
  readonly path: DocumentPath;
  readonly match: ConnectionMatchSpec & { readonly sniHosts?: readonly string[] };
}

/**
 * Checks that the routes of connections have servers that use them, and that no two of them are for the same
 * connections: the later one would never be used.
 */
export function faultsOfConnectionRoutes(set: DocumentSet, rootNamespace: string): readonly Diagnostic[] {
  return [...faultsAtGateways(set), ...faultsAtSidecars(set, rootNamespace)];
}

function faultsAtGateways(set: DocumentSet): readonly Diagnostic[] {
  const taken = new Map<string, ParsedDocument>();
  return documentsOf(set.documents, VIRTUAL_SERVICE).flatMap((document) =>
    (["tls", "tcp"] as const).flatMap((kind) => {
      const servers = serversFor(document, kind, set);
      if (servers === undefined) return [];
      if (servers.length > 0) {
        const { hosts = [] } = document.spec as VirtualServiceSpec;
        const places = servers.map((server): Place => {
          const isPlain = carriedBy(server.port.protocol) === "tcp";
          return { port: server.port.number, names: isPlain ? ["*"] : commonHosts(server, hosts), isPlain };
        });
        return matchesOf(document, kind).flatMap((match) => conflictOf(document, match, places, taken));
      }
      const needed =
        kind === "tls" ? "the tls.mode PASSTHROUGH" : "the protocol TCP, or TLS that ends at the server";
      const message = `No Gateway of this VirtualService has a server with ${needed} and one of these hosts`;
      return [faultAt(document, "PURSER_REF_UNSUITABLE", ["spec", kind], message)];
    }),
  );
}

/** Of the routes that a Sidecar's listener uses, those for the same host are for the same connections of plain text. */
function faultsAtSidecars(set: DocumentSet, rootNamespace: string): readonly Diagnostic[] {
  const listeners = new EgressListeners(set.documents, rootNamespace);
  const documents = documentsOf(set.documents, VIRTUAL_SERVICE);
  const faults = listeners.all.flatMap((listener) => {
    const { port, carried } = listener;
    if (carried === "http") return [];
    const taken = new Map<string, ParsedDocument>();
    return documents
      .filter((document) => listeners.routes(listener, document))
      .flatMap((document) => {
        const { hosts = [] } = document.spec as VirtualServiceSpec;
        const names = hosts.map((host) => canonicalHost(host, document.metadata.namespace));
        const place = { port, names, isPlain: carried === "tcp" };
        return matchesOf(document, carried).flatMap((match) => conflictOf(document, match, [place], taken));
      });
  });
  // Several listeners may use the same two routes.
  return [...new Map(faults.map((fault) => [JSON.stringify(fault.location), fault])).values()];
}

/** The servers of the document's Gateways that use its routes; undefined when there are no routes, or a Gateway is unknown. */
function serversFor(
  { spec, metadata: { namespace } }: ParsedDocument,
  kind: "tls" | "tcp",
  set: DocumentSet,
): readonly GatewayServerSpec[] | undefined {
  const { gateways = [], hosts = [], [kind]: routes } = spec as VirtualServiceSpec;
  // Routes for sidecars alone are reported as without effect.
  if (routes === undefined || gateways.every((name) => name === MESH_GATEWAY)) return undefined;
  const servers: GatewayServerSpec[] = [];
  for (const name of gateways) {
    if (name === MESH_GATEWAY) continue;
    const gateway = set.resolve(GATEWAY.kind, name.includes("/") ? name : `${namespace}/${name}`, namespace);
    if (gateway?.valid !== true) return undefined;
    servers.push(...(gateway.spec as GatewaySpec).servers);
  }
  return servers.filter((server) => {
    const carried = carriedBy(server.port.protocol);
    const passes = server.tls?.mode === "PASSTHROUGH";
    const uses = kind === "tls" ? passes : carried === "tcp" || (server.port.protocol === "TLS" && !passes);
    return uses && commonHosts(server, hosts).length > 0;
  });
}

function commonHosts(server: GatewayServerSpec, hosts: readonly string[]): readonly string[] {
  return server.hosts.flatMap((served) =>
    hosts.flatMap((host) => hostIntersection(served.slice(served.indexOf("/") + 1), host) ?? []),
  );
}

function matchesOf({ spec }: ParsedDocument, kind: "tls" | "tcp"): readonly Match[] {
  const { [kind]: routes = [] } = spec as VirtualServiceSpec;
  return routes.flatMap((route, index): readonly Match[] => {
    const path: DocumentPath = ["spec", kind, index];
    return route.match === undefined
      ? [{ path, match: {} }]
      : route.match.map((match, at) => ({ path: [...path, "match", at], match }));
  });
}

/** A port of a Gateway's server or of a Sidecar's listener, with a document's names for connections there. */
interface Place {
  readonly port: number;
  readonly names: readonly string[];
  /** Whether connections are plain text, so that they name no server. */
  readonly isPlain: boolean;
}

function conflictOf(
  document: ParsedDocument,
  { path, match }: Match,
  places: readonly Place[],
  taken: Map<string, ParsedDocument>,
): readonly Diagnostic[] {
  // Other callers, or other gateways, are other connections.
  if (match.gateways !== undefined || match.sourceLabels !== undefined || match.sourceNamespace !== undefined)
    return [];
  for (const { port, names, isPlain } of places) {
    if (match.port !== undefined && match.port !== port) continue;
    for (const name of isPlain ? names : (match.sniHosts ?? names))
      for (const subnet of match.destinationSubnets ?? [""]) {
        const key = JSON.stringify([port, name, subnet]);
        const earlier = taken.get(key);
        taken.set(key, earlier ?? document);
        if (earlier === undefined) continue;
        const which = isPlain ? "" : ` for ${JSON.stringify(name)}`;
        const message = `An earlier route of the VirtualService ${displayName(earlier.metadata)} takes the same connections of port ${port}${which}`;
        return [faultAt(document, "PURSER_DOC_DUPLICATE", path, message)];
      }
  }
  return [];
}
