// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import ipaddr from "ipaddr.js";
import { DEFAULT_NAMESPACE } from "../../core/documents/kinds/kind.ts";
import { carriesBytes, type ServiceEntrySpec } from "../../core/documents/kinds/service-entry.ts";
import {
  SIDECAR_LABEL,
  WORKLOAD_LABEL,
  type WorkloadEntrySpec,
} from "../../core/documents/kinds/workload-entry.ts";
import type { TrafficDocument, TrafficDocuments } from "../../core/snapshot/snapshot.ts";
import { canonicalHost, resolveHost, splitHost } from "../../core/traffic/host-name.ts";
import { type HttpProtocol, httpProtocolNamed } from "../../core/traffic/port-protocol.ts";
import type { ServiceIdentity } from "../../core/traffic/resources/cluster.ts";
import type { Endpoint } from "../../core/traffic/resources/endpoint.ts";
import { selects } from "../../core/traffic/labels.ts";

/** A service that can be called: one host of a ServiceEntry. */
export interface Service {
  readonly identity: ServiceIdentity;
  /** The registry's key, independent of how a document writes the host. */
  readonly canonicalHost: string;
  /** MESH_INTERNAL: an edge without Gateways exposes the service. */
  readonly internal: boolean;
  readonly ports: readonly ServicePort[];
  /** SPIFFE ids of its workloads, from the ServiceEntries; empty when unknown. */
  readonly subjectAltNames: readonly string[];
  /** Other hosts by which it is called: its IP addresses. Default: none. */
  readonly addresses?: readonly string[];
}

export interface ServicePort {
  readonly number: number;
  readonly name: string;
  /** Whether connections are forwarded as bytes: such a port has no host of its own among requests. */
  readonly carriesBytes: boolean;
  /** The protocol of requests towards the endpoints. */
  readonly protocol: HttpProtocol;
  readonly endpoints: readonly Endpoint[];
}

export interface Registry {
  /** The namespace of the endpoint's document, in which its workload is. */
  namespaceOf(endpoint: Endpoint): string;
  /** In document order. */
  readonly services: readonly Service[];
  /** @param namespace Namespace of the document that writes `host`. */
  find(host: string, namespace: string): Service | undefined;
  /** The canonical host of the service, or for an unknown service the canonical host that it would have. */
  canonical(host: string, namespace: string): string;
}

/**
 * The services that documents declare. Several entries for one host are merged: ports by number, endpoints
 * concatenated. An entry for the host of a Service of Kubernetes only adds endpoints to the Service's ports, and only from the
 * Service's own namespace.
 *
 * @param kubernetes Services of Kubernetes, by canonical host.
 */
export function createStaticRegistry(
  { serviceEntries, workloadEntries }: Pick<TrafficDocuments, "serviceEntries" | "workloadEntries">,
  kubernetes: ReadonlyMap<string, Service> = new Map(),
): Registry {
  const services = new Map<string, Service>(kubernetes);
  const workloads = new Map<string, TrafficDocument<WorkloadEntrySpec>[]>();
  const namespaces = new Map<Endpoint, string>();
  for (const entry of workloadEntries) {
    const { namespace } = entry.metadata;
    const inNamespace = workloads.get(namespace);
    if (inNamespace === undefined) workloads.set(namespace, [entry]);
    else inNamespace.push(entry);
  }
  for (const { metadata, spec } of serviceEntries) {
    const selected = workloadsOf(spec, workloads.get(metadata.namespace) ?? []);
    for (const host of spec.hosts) {
      const service = serviceOf(spec, selected, host, metadata.namespace);
      for (const { endpoints } of service.ports)
        for (const endpoint of endpoints) namespaces.set(endpoint, metadata.namespace);
      const earlier = services.get(service.canonicalHost);
      if (earlier !== undefined && kubernetes.has(service.canonicalHost)) {
        if (earlier.identity.namespace === metadata.namespace)
          services.set(service.canonicalHost, withEndpointsOf(earlier, service));
        continue;
      }
      services.set(service.canonicalHost, earlier === undefined ? service : merge(earlier, service));
    }
  }
  const find = (host: string, namespace: string) => resolveHost(services, host, namespace);
  return {
    services: [...services.values()],
    namespaceOf: (endpoint) => namespaces.get(endpoint) ?? DEFAULT_NAMESPACE,
    find,
    canonical: (host, namespace) => find(host, namespace)?.canonicalHost ?? canonicalHost(host, namespace),
  };
}

/** Whether all endpoints are sidecars, so that each checks the requests that it gets. */
export function areSidecars(endpoints: readonly Endpoint[]): boolean {
  return endpoints.length > 0 && endpoints.every(isSidecar);
}

export function isSidecar({ labels }: Endpoint): boolean {
  return labels[SIDECAR_LABEL] === "true";
}

/**
 * The workloads of an entry: its endpoints, or the WorkloadEntries that it selects; undefined when it has
 * neither, so that the host itself is the address. As in Istio, labels of the WorkloadEntry's metadata come
 * before those of its spec.
 */
function workloadsOf(
  { endpoints, workloadSelector }: ServiceEntrySpec,
  workloadEntries: readonly TrafficDocument<WorkloadEntrySpec>[],
): readonly WorkloadEntrySpec[] | undefined {
  if (workloadSelector === undefined) return endpoints;
  return workloadEntries
    .map(({ metadata, spec }) => ({ ...spec, labels: { ...spec.labels, ...metadata.labels } }))
    .filter(({ labels }) => selects(workloadSelector.labels, labels));
}

function serviceOf(
  spec: ServiceEntrySpec,
  workloads: readonly WorkloadEntrySpec[] | undefined,
  host: string,
  documentNamespace: string,
): Service {
  const canonical = canonicalHost(host, documentNamespace);
  return {
    identity: { host, ...splitHost(canonical, documentNamespace) },
    canonicalHost: canonical,
    internal: spec.location === "MESH_INTERNAL",
    subjectAltNames: spec.subjectAltNames ?? [],
    ...(spec.addresses === undefined ? {} : { addresses: hostsOf(spec.addresses) }),
    ports: spec.ports.map((port) => ({
      number: port.number,
      name: port.name,
      carriesBytes: carriesBytes(port),
      protocol: httpProtocolNamed(port.protocol),
      endpoints: endpointsOf(workloads ?? [{ address: host }], spec.resolution, port),
    })),
  };
}

/** The endpoints of workloads at a port; names among the addresses are looked up. */
export function endpointsOf(
  workloads: readonly WorkloadEntrySpec[],
  resolution: ServiceEntrySpec["resolution"],
  port: ServiceEntrySpec["ports"][number],
): readonly Endpoint[] {
  const targetPort = port.targetPort ?? port.number;
  return workloads.map(({ address, ports, labels = {}, weight = 1, locality, serviceAccount }) => {
    const workload = labels[WORKLOAD_LABEL];
    return {
      address,
      ...(ipaddr.isValid(address) ? {} : { lookup: resolution === "DNS_ROUND_ROBIN" ? "first" : "all" }),
      port: ports?.[port.name] ?? targetPort,
      weight,
      labels,
      ...(workload === undefined ? {} : { workload }),
      ...(locality === undefined ? {} : { locality }),
      ...(serviceAccount === undefined ? {} : { serviceAccount }),
    };
  });
}

/** IP addresses as hosts of requests (RFC 3986, section 3.2.2); blocks of addresses are no hosts. */
function hostsOf(addresses: readonly string[]): readonly string[] {
  return addresses
    .filter((address) => ipaddr.isValid(address))
    .map((address) => (ipaddr.IPv6.isValid(address) ? `[${ipaddr.parse(address).toString()}]` : address));
}

/** A Service of Kubernetes with the endpoints of an entry's ports of the same names, as in Istio. */
function withEndpointsOf(service: Service, entry: Service): Service {
  return {
    ...service,
    ports: service.ports.map((port) => {
      const added = entry.ports.find(({ name }) => name === port.name)?.endpoints ?? [];
      return added.length === 0 ? port : { ...port, endpoints: [...port.endpoints, ...added] };
    }),
  };
}

function merge(first: Service, second: Service): Service {
  const added = second.ports.filter(({ number }) => !first.ports.some((port) => port.number === number));
  return {
    ...first,
    internal: first.internal || second.internal,
    subjectAltNames: [...new Set([...first.subjectAltNames, ...second.subjectAltNames])],
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
