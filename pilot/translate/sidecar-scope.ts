// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { carriedBy } from "../../core/documents/kinds/port-protocols.ts";
import { type EgressPort, egressPortOf, type SidecarSpec } from "../../core/documents/kinds/sidecar.ts";
import type { VirtualServiceSpec } from "../../core/documents/kinds/virtual-service-schema.ts";
import type { TrafficDocument, TrafficDocuments } from "../../core/snapshot/snapshot.ts";
import { Imports } from "../../core/traffic/imports.ts";
import { selects } from "../../core/traffic/labels.ts";
import { type HttpProtocol, httpProtocolNamed } from "../../core/traffic/port-protocol.ts";
import type { Registry, Service, ServicePort } from "../registry/registry-static.ts";
import type { Workload } from "./workload.ts";

/** The part of the mesh that a workload's sidecar serves. */
export interface SidecarScope {
  /** With the imported ports alone. */
  readonly services: readonly Service[];
  /** With the imported hosts alone. */
  readonly virtualServices: readonly TrafficDocument<VirtualServiceSpec>[];
}

/** A parsed item of `egress`. */
interface Item {
  /** The services' port; undefined for all ports that no other item has. */
  readonly port: number | undefined;
  readonly imports: Imports;
}

/**
 * The services and routes that the workload's Sidecar imports; without a Sidecar, everything that is visible.
 *
 * Destinations of an imported route are reached whether they are imported or not, as in Istio.
 */
export function sidecarScopeOf(
  { sidecars, virtualServices, rootNamespace }: TrafficDocuments,
  registry: Registry,
  workload: Workload,
): SidecarScope {
  const sidecar = sidecarOf(sidecars, workload, rootNamespace);
  if (sidecar?.spec.egress === undefined) return { services: registry.services, virtualServices };
  const items = sidecar.spec.egress.map(({ port, hosts }): Item => {
    return { port: port?.number, imports: new Imports(hosts, workload.namespace) };
  });
  return {
    services: servicesWith(registry, (service, { number }) => importsPort(items, service, number)),
    virtualServices: routesOf(
      items.map(({ imports }) => imports),
      virtualServices,
      registry,
    ),
  };
}

/** A listener of a sidecar for calls of one port of services, with the part of the mesh that it serves. */
export interface EgressListener extends EgressPort, SidecarScope {}

/** The listeners that the workload's Sidecar opens beside the one for all services. */
export function egressListenersOf(
  { sidecars, virtualServices, rootNamespace }: TrafficDocuments,
  registry: Registry,
  workload: Workload,
): readonly EgressListener[] {
  const { egress = [] } = sidecarOf(sidecars, workload, rootNamespace)?.spec ?? {};
  return egress.flatMap((item) => {
    const listener = egressPortOf(item);
    if (listener === undefined) return [];
    const imports = new Imports(item.hosts, workload.namespace);
    const services = servicesWith(
      registry,
      ({ identity, canonicalHost }, { number, carriesBytes }) =>
        number === listener.port &&
        carriesBytes === (listener.carried !== "http") &&
        imports.hasService(identity.namespace, canonicalHost),
    );
    return [{ ...listener, services, virtualServices: routesOf([imports], virtualServices, registry) }];
  });
}

/** The services that have such ports, with these ports alone. */
function servicesWith(
  { services }: Registry,
  has: (service: Service, port: ServicePort) => boolean,
): readonly Service[] {
  return services.flatMap((service) => {
    const ports = service.ports.filter((port) => has(service, port));
    return ports.length === 0 ? [] : [{ ...service, ports }];
  });
}

/** The VirtualServices with imported hosts, with these hosts alone. */
function routesOf(
  imports: readonly Imports[],
  virtualServices: readonly TrafficDocument<VirtualServiceSpec>[],
  registry: Registry,
): readonly TrafficDocument<VirtualServiceSpec>[] {
  return virtualServices.flatMap((document) => {
    const { namespace } = document.metadata;
    const hosts = (document.spec.hosts ?? []).filter((host) =>
      imports.some((each) => each.hasRoute(namespace, registry.canonical(host, namespace))),
    );
    return hosts.length === 0 ? [] : [{ ...document, spec: { ...document.spec, hosts } }];
  });
}

/** A port on which a sidecar takes calls for its workload, with the application's address. */
export interface InboundPort {
  readonly host: string;
  readonly port: number;
  readonly appHost: string;
  readonly appPort: number;
  /** The protocol towards the application, or bytes as they come; default: that of the service's port. */
  readonly protocol?: HttpProtocol | "bytes";
}

/** The inbound ports that the workload's Sidecar lists; undefined when it lists none. @param host Default address. */
export function inboundPortsOf(
  { sidecars, rootNamespace }: TrafficDocuments,
  workload: Workload,
  host: string,
): readonly InboundPort[] | undefined {
  return sidecarOf(sidecars, workload, rootNamespace)?.spec.ingress?.map(
    ({ bind, port, defaultEndpoint }) => {
      const colon = defaultEndpoint.lastIndexOf(":");
      return {
        host: bind ?? host,
        port: port.number,
        appHost: defaultEndpoint.slice(0, colon).replace(/^\[(.*)\]$/, "$1"),
        appPort: Number(defaultEndpoint.slice(colon + 1)),
        protocol: inboundProtocolOf(port.protocol),
      };
    },
  );
}

function inboundProtocolOf(protocol: string): NonNullable<InboundPort["protocol"]> {
  return carriedBy(protocol) === "http" ? httpProtocolNamed(protocol) : "bytes";
}

/**
 * Istio's order: the Sidecar of the namespace that selects the workload, that of the namespace for all its
 * workloads, that of the root namespace. The first in document order of several that select the workload.
 */
function sidecarOf(
  sidecars: readonly TrafficDocument<SidecarSpec>[],
  { namespace, labels }: Workload,
  rootNamespace: string,
): TrafficDocument<SidecarSpec> | undefined {
  const own = sidecars.filter(({ metadata }) => metadata.namespace === namespace);
  return (
    own.find(
      ({ spec: { workloadSelector } }) =>
        workloadSelector !== undefined && selects(workloadSelector.labels, labels),
    ) ??
    own.find(isForAll) ??
    sidecars.find((sidecar) => sidecar.metadata.namespace === rootNamespace && isForAll(sidecar))
  );
}

function isForAll({ spec }: TrafficDocument<SidecarSpec>): boolean {
  return spec.workloadSelector === undefined;
}

function importsPort(items: readonly Item[], { identity, canonicalHost }: Service, port: number): boolean {
  const specific = items.filter((item) => item.port === port);
  const applying = specific.length > 0 ? specific : items.filter((item) => item.port === undefined);
  return applying.some(({ imports }) => imports.hasService(identity.namespace, canonicalHost));
}
