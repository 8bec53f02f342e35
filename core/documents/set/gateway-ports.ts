// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Diagnostic } from "../../../kernel/diagnostic.ts";
import { faultAt, type ParsedDocument } from "../document.ts";
import { KUBERNETES_GATEWAY, type KubernetesGatewaySpec } from "../kinds/gateway-api/gateway.ts";
import { GATEWAY, type GatewaySpec } from "../kinds/gateway.ts";
import type { GatewayProtocol } from "../kinds/gateway-tls.ts";
import { carriedBy } from "../kinds/port-protocols.ts";
import { GATEWAY_NAME_LABEL } from "../kinds/target-refs.ts";
import { displayName } from "../kinds/kind.ts";
import type { DocumentPath } from "../yaml/places.ts";
import type { Labels } from "../../traffic/labels.ts";

interface Taken {
  readonly selector: Labels;
  readonly document: ParsedDocument;
  readonly protocol: GatewayProtocol;
  /** Hosts of the servers with TLS: each has the certificate of one server. */
  readonly hosts: Set<string>;
}

/** Checks, of the Gateways that one edge may serve together, that a port has HTTP in plain text, bytes in plain text or TLS alone, and that no two servers with TLS on it have the same host. */
export function faultsOfGatewayPorts(documents: readonly ParsedDocument[]): readonly Diagnostic[] {
  const ports = new Map<number, Taken[]>();
  return documents.flatMap((document) => {
    const { selector, servers } = serversOf(document);
    return servers.flatMap(({ number, protocol, hosts, where, hostPath }) => {
      const all = ports.get(number) ?? [];
      ports.set(number, all);
      let taken = all.find((each) => overlap(each.selector, selector));
      if (taken === undefined) {
        taken = { selector, document, protocol, hosts: new Set<string>() };
        all.push(taken);
      }
      if (carriedBy(taken.protocol) !== carriedBy(protocol)) {
        const message = `Port ${number} has the protocol ${taken.protocol} in Gateway ${displayName(taken.document.metadata)}`;
        return [faultAt(document, "PURSER_DOC_INVALID_VALUE", where, message)];
      }
      if (carriedBy(protocol) !== "tls") return [];
      const names = hosts.map((host) => host.slice(host.indexOf("/") + 1));
      const faults = names.flatMap((name, at) =>
        taken.hosts.has(name)
          ? [
              faultAt(
                document,
                "PURSER_DOC_INVALID_VALUE",
                hostPath(at),
                `Another server with TLS on port ${number} has the host ${JSON.stringify(name)}, so its certificate is ambiguous`,
              ),
            ]
          : [],
      );
      for (const name of names) taken.hosts.add(name);
      return faults;
    });
  });
}

interface Server {
  readonly number: number;
  readonly protocol: GatewayProtocol;
  readonly hosts: readonly string[];
  /** The place of the protocol. */
  readonly where: DocumentPath;
  readonly hostPath: (index: number) => DocumentPath;
}

/** The servers of a Gateway, of Istio or of the Gateway API; none of other documents. */
function serversOf({ definition, valid, spec, metadata }: ParsedDocument): {
  readonly selector: Labels;
  readonly servers: readonly Server[];
} {
  if (valid && definition.kind === GATEWAY.kind) {
    const { selector = {}, servers } = spec as GatewaySpec;
    return {
      selector,
      servers: servers.map(({ port: { number, protocol }, hosts }, index) => ({
        number,
        protocol,
        hosts,
        where: ["spec", "servers", index, "port", "protocol"],
        hostPath: (at) => ["spec", "servers", index, "hosts", at],
      })),
    };
  }
  if (!valid || definition.kind !== KUBERNETES_GATEWAY.kind) return { selector: {}, servers: [] };
  // Another Gateway of the Gateway API has edges of its own: see conflictedListeners.
  return {
    selector: { [GATEWAY_NAME_LABEL]: `${metadata.namespace}/${metadata.name}` },
    servers: (spec as KubernetesGatewaySpec).listeners.flatMap(
      ({ port, protocol, hostname = "*" }, index): readonly Server[] =>
        protocol === "UDP"
          ? []
          : [
              {
                number: port,
                protocol,
                hosts: [hostname],
                where: ["spec", "listeners", index, "protocol"],
                hostPath: () => ["spec", "listeners", index],
              },
            ],
    ),
  };
}

/** Whether a proxy may have the labels of both selectors: none is in both with different values. */
function overlap(first: Labels, second: Labels): boolean {
  return Object.entries(second).every(([name, value]) => (first[name] ?? value) === value);
}
