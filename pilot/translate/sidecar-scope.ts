// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { SidecarSpec } from "../../core/documents/kinds/sidecar.ts";
import type { VirtualServiceSpec } from "../../core/documents/kinds/virtual-service-schema.ts";
import type { TrafficDocument, TrafficDocuments } from "../../core/snapshot/snapshot.ts";
import { canonicalHost, hostCovers, hostIntersection } from "../../core/traffic/host-name.ts";
import { selects } from "../../core/traffic/labels.ts";
import { type HttpProtocol, httpProtocolNamed } from "../../core/traffic/port-protocol.ts";
import type { Registry, Service } from "../registry/registry-static.ts";
import type { Workload } from "./workload.ts";

/** The part of the mesh that a workload's sidecar serves. */
export interface SidecarScope {
  /** With the imported ports alone. */
  readonly services: readonly Service[];
  /** With the imported hosts alone. */
  readonly virtualServices: readonly TrafficDocument<VirtualServiceSpec>[];
}

/** A parsed item of `egress`. */
interface Import {
  /** The services' port; undefined for all ports that no other item has. */
  readonly port: number | undefined;
  readonly hosts: readonly { readonly namespace: string; readonly host: string }[];
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
  const imports = sidecar.spec.egress.map((item) => importOf(item, workload.namespace));
  return {
    services: registry.services.flatMap((service) => {
      const ports = service.ports.filter(({ number }) => importsPort(imports, service, number));
      return ports.length === 0 ? [] : [{ ...service, ports }];
    }),
    virtualServices: virtualServices.flatMap((document) => {
      const { namespace } = document.metadata;
      const hosts = (document.spec.hosts ?? []).filter((host) =>
        importsRoute(imports, namespace, registry.canonical(host, namespace)),
      );
      return hosts.length === 0 ? [] : [{ ...document, spec: { ...document.spec, hosts } }];
    }),
  };
}

/** A port on which a sidecar takes calls for its workload, with the application's address. */
export interface InboundPort {
  readonly host: string;
  readonly port: number;
  readonly appHost: string;
  readonly appPort: number;
  /** The protocol towards the application; default: that of the service's port. */
  readonly protocol?: HttpProtocol;
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
        protocol: httpProtocolNamed(port.protocol),
      };
    },
  );
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

/** @param own The workload's namespace, which `.` is in a Sidecar of the root namespace too. */
function importOf({ port, hosts }: NonNullable<SidecarSpec["egress"]>[number], own: string): Import {
  return {
    port: port?.number,
    hosts: hosts.map((written) => {
      const slash = written.indexOf("/");
      const namespace = written.slice(0, slash);
      return { namespace: namespace === "." ? own : namespace, host: written.slice(slash + 1) };
    }),
  };
}

function importsPort(imports: readonly Import[], service: Service, port: number): boolean {
  const { namespace } = service.identity;
  const specific = imports.filter((item) => item.port === port);
  const applying = specific.length > 0 ? specific : imports.filter((item) => item.port === undefined);
  return applying.some(({ hosts }) =>
    hosts.some(
      (each) =>
        isNamespace(each.namespace, namespace) &&
        hostCovers(canonicalHost(each.host, namespace), service.canonicalHost),
    ),
  );
}

/** A route with `*.example.com` is imported by `api.example.com`, and the other way round: hosts need only overlap. */
function importsRoute(imports: readonly Import[], namespace: string, host: string): boolean {
  return imports.some(({ hosts }) =>
    hosts.some(
      (each) =>
        isNamespace(each.namespace, namespace) &&
        hostIntersection(canonicalHost(each.host, namespace), host) !== undefined,
    ),
  );
}

/** The namespace `~` of `~/*` is no namespace's name. */
function isNamespace(imported: string, namespace: string): boolean {
  return imported === "*" || imported === namespace;
}
