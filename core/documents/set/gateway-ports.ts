// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Diagnostic } from "../../../kernel/diagnostic.ts";
import { documentsOf, faultAt, type ParsedDocument } from "../document.ts";
import { GATEWAY, type GatewaySpec } from "../kinds/gateway.ts";
import { carriedBy, type GatewayProtocol } from "../kinds/gateway-tls.ts";
import { displayName } from "../kinds/kind.ts";
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
  return documentsOf(documents, GATEWAY).flatMap((document) => {
    const { selector = {}, servers } = document.spec as GatewaySpec;
    return servers.flatMap(({ port: { number, protocol }, hosts }, index) => {
      const all = ports.get(number) ?? [];
      ports.set(number, all);
      let taken = all.find((each) => overlap(each.selector, selector));
      if (taken === undefined) {
        taken = { selector, document, protocol, hosts: new Set<string>() };
        all.push(taken);
      }
      const where = ["spec", "servers", index];
      if (carriedBy(taken.protocol) !== carriedBy(protocol)) {
        const message = `Port ${number} has the protocol ${taken.protocol} in Gateway ${displayName(taken.document.metadata)}`;
        return [faultAt(document, "PURSER_DOC_INVALID_VALUE", [...where, "port", "protocol"], message)];
      }
      if (carriedBy(protocol) !== "tls") return [];
      const names = hosts.map((host) => host.slice(host.indexOf("/") + 1));
      const faults = names.flatMap((name, at) =>
        taken.hosts.has(name)
          ? [
              faultAt(
                document,
                "PURSER_DOC_INVALID_VALUE",
                [...where, "hosts", at],
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

/** Whether a proxy may have the labels of both selectors: none is in both with different values. */
function overlap(first: Labels, second: Labels): boolean {
  return Object.entries(second).every(([name, value]) => (first[name] ?? value) === value);
}
