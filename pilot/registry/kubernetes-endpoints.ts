// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import {
  type EndpointsDocument,
  type EndpointSliceDocument,
  SERVICE_NAME_LABEL,
} from "../../core/documents/kinds/kubernetes/endpoints.ts";
import type { ServiceDocument, ServicePortSpec } from "../../core/documents/kinds/kubernetes/service.ts";
import type { KubernetesDocuments, TrafficDocument } from "../../core/snapshot/snapshot.ts";
import { LOCALITY_LABELS } from "../../core/traffic/locality.ts";
import type { Endpoint } from "../../core/traffic/resources/endpoint.ts";
import type { PodFacts, Pods } from "./kubernetes-pods.ts";

type Service = TrafficDocument<ServiceDocument>;
type Slice = TrafficDocument<EndpointSliceDocument>;

interface TargetRef {
  readonly kind?: string;
  readonly name?: string;
  readonly namespace?: string;
}

/**
 * The endpoints of Services: those of its EndpointSlices; without any, those of the Endpoints of its name; without these,
 * those of the Pods that its selector selects, of which the other two are made in Kubernetes.
 */
export class KubernetesEndpoints {
  readonly #pods: Pods;
  readonly #slices = new Map<string, Slice[]>();
  readonly #endpoints: ReadonlyMap<string, TrafficDocument<EndpointsDocument>>;

  constructor({ endpointSlices, endpoints }: KubernetesDocuments, pods: Pods) {
    this.#pods = pods;
    for (const slice of endpointSlices) {
      const { namespace, labels } = slice.metadata;
      const key = `${namespace}/${labels[SERVICE_NAME_LABEL] ?? ""}`;
      const slices = this.#slices.get(key);
      if (slices === undefined) this.#slices.set(key, [slice]);
      else slices.push(slice);
    }
    this.#endpoints = new Map(
      endpoints.map((document) => [`${document.metadata.namespace}/${document.metadata.name}`, document]),
    );
  }

  /** The endpoints of a port, each address and port once, in document order. */
  of(service: Service, port: ServicePortSpec): readonly Endpoint[] {
    const { namespace, name } = service.metadata;
    const slices = this.#slices.get(`${namespace}/${name}`);
    const endpoints = this.#endpoints.get(`${namespace}/${name}`);
    if (slices !== undefined) return unique(this.#ofSlices(primaryFamily(slices, service), port));
    if (endpoints !== undefined) return unique(this.#ofEndpoints(endpoints, port));
    return unique(this.#ofPods(service, port));
  }

  #ofSlices(slices: readonly Slice[], port: ServicePortSpec): readonly Endpoint[] {
    return slices.flatMap(({ metadata, spec: { endpoints, ports } }) => {
      const number = numberOf(ports, port);
      if (number === undefined) return [];
      return (endpoints ?? []).flatMap(
        ({ addresses, conditions, nodeName, zone, deprecatedTopology, targetRef }) => {
          if (conditions?.ready === false) return [];
          const [regionLabel, zoneLabel] = LOCALITY_LABELS;
          const topology = deprecatedTopology ?? {};
          const locality = this.#pods.localityOf(
            nodeName,
            zone ?? topology[zoneLabel],
            topology[regionLabel],
          );
          return addresses.map((address) =>
            endpointOf(address, number, this.#podOf(targetRef, metadata.namespace, address), locality),
          );
        },
      );
    });
  }

  #ofEndpoints(
    { metadata, spec }: TrafficDocument<EndpointsDocument>,
    port: ServicePortSpec,
  ): readonly Endpoint[] {
    return (spec.subsets ?? []).flatMap(({ addresses, ports }) => {
      const number = numberOf(ports, port);
      if (number === undefined) return [];
      return (addresses ?? []).map(({ ip, nodeName, targetRef }) => {
        const pod = this.#podOf(targetRef, metadata.namespace, ip);
        return endpointOf(ip, number, pod, this.#pods.localityOf(nodeName));
      });
    });
  }

  #ofPods({ metadata, spec: { spec } }: Service, port: ServicePortSpec): readonly Endpoint[] {
    const selector = spec.selector ?? {};
    // A Service without a selector selects no Pods in Kubernetes, not all of them.
    if (Object.keys(selector).length === 0) return [];
    return this.#pods.selected(metadata.namespace, selector).flatMap((pod) => {
      if (!pod.isReady && spec.publishNotReadyAddresses !== true) return [];
      const { targetPort = port.port } = port;
      const number = typeof targetPort === "number" ? targetPort : pod.ports.get(targetPort);
      if (number === undefined || pod.address === undefined) return [];
      return [endpointOf(pod.address, number, pod, pod.locality)];
    });
  }

  /** The Pod of an endpoint: the one that the endpoint names, else the only one with the address. */
  #podOf(targetRef: TargetRef | null | undefined, namespace: string, address: string): PodFacts | undefined {
    if (targetRef?.name === undefined) return this.#pods.at(address);
    if ((targetRef.kind ?? "Pod") !== "Pod") return undefined;
    return this.#pods.find(targetRef.namespace ?? namespace, targetRef.name);
  }
}

/** Slices of the family that the Service prefers: a Pod of both families is in slices of both, and is one endpoint. */
function primaryFamily(slices: readonly Slice[], service: Service): readonly Slice[] {
  const [preferred] = service.spec.spec.ipFamilies ?? [];
  const has = (family: string) => slices.some(({ spec }) => spec.addressType === family);
  const family = preferred !== undefined && has(preferred) ? preferred : has("IPv4") ? "IPv4" : "IPv6";
  return slices.filter(({ spec }) => spec.addressType === family);
}

function numberOf(
  ports: readonly { readonly name?: string | null; readonly port?: number | null }[] | null | undefined,
  { name = "", port }: ServicePortSpec,
): number | undefined {
  const found = ports?.find((each) => (each.name ?? "") === name);
  return found === undefined ? undefined : (found.port ?? port);
}

function endpointOf(
  address: string,
  port: number,
  pod: PodFacts | undefined,
  locality: string | undefined,
): Endpoint {
  const place = locality ?? pod?.locality;
  return {
    address,
    port,
    weight: 1,
    labels: pod?.labels ?? {},
    ...(pod === undefined ? {} : { workload: pod.workload, serviceAccount: pod.serviceAccount }),
    ...(place === undefined ? {} : { locality: place }),
  };
}

/** Slices may list an endpoint twice while it moves from one to another (Kubernetes' documentation of EndpointSlices). */
function unique(endpoints: readonly Endpoint[]): readonly Endpoint[] {
  const seen = new Set<string>();
  return endpoints.filter(({ address, port }) => {
    const key = `${address} ${port}`;
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}
