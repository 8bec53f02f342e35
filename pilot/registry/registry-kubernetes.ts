// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import ipaddr from "ipaddr.js";
import type { ServiceDocument, ServicePortSpec } from "../../core/documents/kinds/kubernetes/service.ts";
import type { WorkloadEntrySpec } from "../../core/documents/kinds/workload-entry.ts";
import type { KubernetesDocuments, TrafficDocument } from "../../core/snapshot/snapshot.ts";
import { canonicalHost } from "../../core/traffic/host-name.ts";
import { selects } from "../../core/traffic/labels.ts";
import { httpProtocolOf } from "../../core/traffic/port-protocol.ts";
import type { Endpoint } from "../../core/traffic/resources/endpoint.ts";
import { KubernetesEndpoints } from "./kubernetes-endpoints.ts";
import type { Pods } from "./kubernetes-pods.ts";
import { endpointsOf, type Service, type ServicePort } from "./registry-static.ts";

/** Longest chain of Services with the type ExternalName that stand for one another. */
const MAX_ALIASES = 8;

/**
 * The services that documents of Kubernetes declare, by canonical host, in document order. Ports that are not HTTP carry bytes;
 * those of UDP and SCTP are left out. As in Istio, a Service's selector selects WorkloadEntries of its namespace too.
 */
export function kubernetesServices(
  documents: KubernetesDocuments,
  pods: Pods,
  workloadEntries: readonly TrafficDocument<WorkloadEntrySpec>[],
): ReadonlyMap<string, Service> {
  const endpoints = new KubernetesEndpoints(documents, pods);
  const declared = new Map(documents.services.map((document) => [hostOf(document), document]));
  const services = new Map<string, Service>();
  for (const [host, document] of declared) {
    const { name, namespace } = document.metadata;
    services.set(host, {
      identity: { host, name, namespace },
      canonicalHost: host,
      internal: true,
      subjectAltNames: [],
      ports: portsOf(document, declared, (service, port) => [
        ...endpoints.of(service, port),
        ...endpointsOfEntries(service, port, workloadEntries),
      ]),
    });
  }
  return services;
}

type EndpointsOf = (service: TrafficDocument<ServiceDocument>, port: ServicePortSpec) => readonly Endpoint[];

function hostOf({ metadata }: TrafficDocument<ServiceDocument>): string {
  return canonicalHost(metadata.name, metadata.namespace);
}

function portsOf(
  document: TrafficDocument<ServiceDocument>,
  declared: ReadonlyMap<string, TrafficDocument<ServiceDocument>>,
  endpoints: EndpointsOf,
): readonly ServicePort[] {
  const ports = document.spec.spec.ports ?? [];
  const target = targetOf(document, declared);
  if (target === document) return ports.flatMap((port) => servicePort(port, endpoints(document, port)));
  if (typeof target === "string")
    return ports.flatMap((port) => servicePort(port, [outsideEndpoint(target, port.port)]));
  const targetPorts = target === undefined ? [] : (target.spec.spec.ports ?? []);
  const own = ports.length === 0 ? targetPorts : ports;
  return own.flatMap((port) => {
    const same = targetPorts.find((each) => each.port === port.port);
    return servicePort(port, target === undefined || same === undefined ? [] : endpoints(target, same));
  });
}

/**
 * The Service that a Service stands for: itself, unless its type is ExternalName. Text for an outside host; undefined for a
 * circle of names.
 */
function targetOf(
  document: TrafficDocument<ServiceDocument>,
  declared: ReadonlyMap<string, TrafficDocument<ServiceDocument>>,
): TrafficDocument<ServiceDocument> | string | undefined {
  let current = document;
  for (let aliases = 0; aliases <= MAX_ALIASES; aliases++) {
    const { type, externalName = "" } = current.spec.spec;
    if (type !== "ExternalName") return current;
    const name = externalName.toLowerCase().replace(/\.$/, "");
    const next = declared.get(name);
    if (next === undefined) return name === "" ? undefined : name;
    current = next;
  }
  return undefined;
}

function servicePort(port: ServicePortSpec, endpoints: readonly Endpoint[]): readonly ServicePort[] {
  const { port: number, name = "", protocol: transport = "TCP" } = port;
  if (transport.toUpperCase() !== "TCP") return [];
  const protocol = httpProtocolOf(port);
  return [{ number, name, protocol: protocol ?? "http1", carriesBytes: protocol === undefined, endpoints }];
}

function outsideEndpoint(address: string, port: number): Endpoint {
  return {
    address,
    ...(ipaddr.isValid(address) ? {} : { lookup: "all" as const }),
    port,
    weight: 1,
    labels: {},
  };
}

function endpointsOfEntries(
  { metadata, spec: { spec } }: TrafficDocument<ServiceDocument>,
  { name = "", port, targetPort }: ServicePortSpec,
  entries: readonly TrafficDocument<WorkloadEntrySpec>[],
): readonly Endpoint[] {
  const selector = spec.selector ?? {};
  if (entries.length === 0 || Object.keys(selector).length === 0) return [];
  const selected = entries
    .filter((entry) => entry.metadata.namespace === metadata.namespace)
    .map((entry) => ({ ...entry.spec, labels: { ...entry.spec.labels, ...entry.metadata.labels } }))
    .filter(({ labels }) => selects(selector, labels));
  // A container's port has no meaning outside Pods.
  const target = typeof targetPort === "number" ? targetPort : port;
  return endpointsOf(selected, "DNS", { name, number: port, protocol: "HTTP", targetPort: target });
}
