// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { canonicalHost, splitHost } from "../../traffic/host-name.ts";
import { httpProtocolOf } from "../../traffic/port-protocol.ts";
import { documentsOf, type ParsedDocument } from "../document.ts";
import { annotatedExportTo, isExportedTo } from "../kinds/export-to.ts";
import { SERVICE, type ServiceDocument } from "../kinds/kubernetes/service.ts";
import { carriedBy } from "../kinds/port-protocols.ts";
import { SERVICE_ENTRY, type ServiceEntrySpec } from "../kinds/service-entry.ts";

/** A port that a document gives a service. */
export interface DeclaredPort {
  /** Of the service, in canonical form. */
  readonly host: string;
  readonly namespace: string;
  /** Undefined for a Service that has the ports of another one, or any. */
  readonly number: number | undefined;
  readonly carriesBytes: boolean;
  /** Whether proxies of the namespace see the document. */
  readonly isVisibleTo: (client: string) => boolean;
}

/** The ports of all Services of Kubernetes and ServiceEntries. A ServiceEntry adds no ports to a Service. */
export function declaredPorts(documents: readonly ParsedDocument[]): readonly DeclaredPort[] {
  const ofKubernetes = documentsOf(documents, SERVICE).flatMap(portsOfService);
  const hosts = new Set(ofKubernetes.map(({ host }) => host));
  const ofEntries = documentsOf(documents, SERVICE_ENTRY).flatMap(portsOfEntry);
  return [...ofKubernetes, ...ofEntries.filter(({ host }) => !hosts.has(host))];
}

function portsOfService({ metadata, spec }: ParsedDocument): readonly DeclaredPort[] {
  const { name, namespace, annotations } = metadata;
  const service = {
    host: canonicalHost(name, namespace),
    namespace,
    isVisibleTo: (client: string) => isExportedTo(annotatedExportTo(annotations), namespace, client),
  };
  const ports = (spec as ServiceDocument).spec.ports ?? [];
  if (ports.length === 0) return [{ ...service, number: undefined, carriesBytes: true }];
  return ports.map((port) => ({
    ...service,
    number: port.port,
    carriesBytes: httpProtocolOf(port) === undefined,
  }));
}

function portsOfEntry({ metadata, spec }: ParsedDocument): readonly DeclaredPort[] {
  const { hosts, ports, exportTo } = spec as ServiceEntrySpec;
  return hosts.flatMap((written) => {
    const host = canonicalHost(written, metadata.namespace);
    const { namespace } = splitHost(host, metadata.namespace);
    return ports.map(({ number, protocol }) => ({
      host,
      namespace,
      number,
      carriesBytes: carriedBy(protocol) !== "http",
      isVisibleTo: (client: string) => isExportedTo(exportTo, metadata.namespace, client),
    }));
  });
}
