// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { canonicalHost } from "../../traffic/host-name.ts";
import { httpProtocolOf } from "../../traffic/port-protocol.ts";
import { documentsOf, type ParsedDocument } from "../document.ts";
import { annotatedExportTo, isExportedTo } from "../kinds/export-to.ts";
import { SERVICE, type ServiceDocument } from "../kinds/kubernetes/service.ts";
import { carriedBy } from "../kinds/port-protocols.ts";
import { SERVICE_ENTRY, type ServiceEntrySpec } from "../kinds/service-entry.ts";

/** A host declared by a Service of Kubernetes or by ServiceEntries. */
export interface DeclaredService {
  /** As the first document writes it. */
  readonly host: string;
  readonly canonicalHost: string;
  /** Of the first document. */
  readonly namespace: string;
  /** Whether each port carries bytes, by its number. */
  readonly ports: ReadonlyMap<number, boolean>;
  /** Whether its ports are not known here, as those of a Service with the type ExternalName that lists none. */
  readonly anyPort: boolean;
}

/**
 * The services by canonical host. A ServiceEntry adds no ports to a Service of Kubernetes.
 *
 * @param client The namespace whose proxies see the documents; default: all documents.
 */
export function declaredServices(
  documents: readonly ParsedDocument[],
  client?: string,
): ReadonlyMap<string, DeclaredService> {
  const services = new Map<string, DeclaredService>();
  const isSeen = (exportTo: readonly string[] | undefined, namespace: string) =>
    client === undefined || isExportedTo(exportTo, namespace, client);
  for (const { metadata, spec } of documentsOf(documents, SERVICE)) {
    const { name, namespace, annotations } = metadata;
    if (!isSeen(annotatedExportTo(annotations), namespace)) continue;
    const written = (spec as ServiceDocument).spec.ports ?? [];
    const ports = new Map(written.map((port) => [port.port, httpProtocolOf(port) === undefined]));
    const canonical = canonicalHost(name, namespace);
    services.set(canonical, {
      host: name,
      canonicalHost: canonical,
      namespace,
      ports,
      anyPort: ports.size === 0,
    });
  }
  const ofKubernetes = new Set(services.keys());
  for (const { metadata, spec } of documentsOf(documents, SERVICE_ENTRY)) {
    const { hosts, ports: written, exportTo } = spec as ServiceEntrySpec;
    const { namespace } = metadata;
    if (!isSeen(exportTo, namespace)) continue;
    const added = new Map(written.map(({ number, protocol }) => [number, carriedBy(protocol) !== "http"]));
    for (const host of hosts) {
      const canonical = canonicalHost(host, namespace);
      if (ofKubernetes.has(canonical)) continue;
      const first = services.get(canonical);
      // Of two protocols of one port the first applies.
      const ports = new Map([...added, ...(first?.ports ?? [])]);
      services.set(canonical, {
        ...(first ?? { host, canonicalHost: canonical, namespace, anyPort: false }),
        ports,
      });
    }
  }
  return services;
}
