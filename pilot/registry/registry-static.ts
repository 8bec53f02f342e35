// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import {
  SIDECAR_LABEL,
  type ServiceEntrySpec,
  WORKLOAD_LABEL,
} from "../../core/documents/kinds/service-entry.ts";
import type { TrafficDocument } from "../../core/snapshot/snapshot.ts";
import { canonicalHost, resolveHost, splitHost } from "../../core/traffic/host-name.ts";
import type { Cluster, ServiceIdentity } from "../../core/traffic/resources/cluster.ts";
import type { Endpoint } from "../../core/traffic/resources/endpoint.ts";

/** A service that can be called: one host of a ServiceEntry. */
export interface Service {
  readonly identity: ServiceIdentity;
  /** The registry's key, independent of how a document writes the host. */
  readonly canonicalHost: string;
  /** MESH_INTERNAL: an edge without Gateways exposes the service. */
  readonly internal: boolean;
  readonly ports: readonly ServicePort[];
}

export interface ServicePort {
  readonly number: number;
  readonly name: string;
  /** The protocol towards the endpoints. */
  readonly protocol: NonNullable<Cluster["protocol"]>;
  readonly endpoints: readonly Endpoint[];
}

export interface Registry {
  /** In document order. */
  readonly services: readonly Service[];
  /** @param namespace Namespace of the document that writes `host`. */
  find(host: string, namespace: string): Service | undefined;
  /** The canonical host of the service, or for an unknown service the canonical host that it would have. */
  canonical(host: string, namespace: string): string;
}

/**
 * The services that documents declare. Several entries for one host are merged: ports by number, endpoints
 * concatenated.
 */
export function createStaticRegistry(entries: readonly TrafficDocument<ServiceEntrySpec>[]): Registry {
  const services = new Map<string, Service>();
  for (const { metadata, spec } of entries) {
    for (const host of spec.hosts) {
      const service = serviceOf(spec, host, metadata.namespace);
      const earlier = services.get(service.canonicalHost);
      services.set(service.canonicalHost, earlier === undefined ? service : merge(earlier, service));
    }
  }
  const find = (host: string, namespace: string) => resolveHost(services, host, namespace);
  return {
    services: [...services.values()],
    find,
    canonical: (host, namespace) => find(host, namespace)?.canonicalHost ?? canonicalHost(host, namespace),
  };
}

/** Whether all endpoints are sidecars, so that each checks the requests that it gets. */
export function areSidecars(endpoints: readonly Endpoint[]): boolean {
  return endpoints.length > 0 && endpoints.every(({ labels }) => labels[SIDECAR_LABEL] === "true");
}

function serviceOf(spec: ServiceEntrySpec, host: string, documentNamespace: string): Service {
  const canonical = canonicalHost(host, documentNamespace);
  return {
    identity: { host, ...splitHost(canonical, documentNamespace) },
    canonicalHost: canonical,
    internal: spec.location === "MESH_INTERNAL",
    ports: spec.ports.map((port) => ({
      number: port.number,
      name: port.name,
      protocol: port.protocol === "HTTP" ? "http1" : "http2",
      endpoints: endpointsOf(spec, host, port),
    })),
  };
}

function endpointsOf(
  { endpoints }: ServiceEntrySpec,
  host: string,
  port: ServiceEntrySpec["ports"][number],
): readonly Endpoint[] {
  const targetPort = port.targetPort ?? port.number;
  return (endpoints ?? ([{ address: host }] satisfies ServiceEntrySpec["endpoints"])).map(
    ({ address, ports, labels = {}, weight = 1, locality }) => {
      const workload = labels[WORKLOAD_LABEL];
      return {
        address,
        port: ports?.[port.name] ?? targetPort,
        weight,
        labels,
        ...(workload === undefined ? {} : { workload }),
        ...(locality === undefined ? {} : { locality }),
      };
    },
  );
}

function merge(first: Service, second: Service): Service {
  const added = second.ports.filter(({ number }) => !first.ports.some((port) => port.number === number));
  return {
    ...first,
    internal: first.internal || second.internal,
    ports: [
      ...first.ports.map((port) => ({
        ...port,
        endpoints: [
          ...port.endpoints,
          ...(second.ports.find(({ number }) => number === port.number)?.endpoints ?? []),
        ],
      })),
      ...added,
    ],
  };
}
