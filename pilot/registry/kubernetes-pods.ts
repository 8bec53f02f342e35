// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { PodDocument } from "../../core/documents/kinds/kubernetes/pod.ts";
import { WORKLOAD_LABEL, type WorkloadEntrySpec } from "../../core/documents/kinds/workload-entry.ts";
import type { KubernetesDocuments, TrafficDocument } from "../../core/snapshot/snapshot.ts";
import { type Labels, selects } from "../../core/traffic/labels.ts";
import { LOCALITY_LABELS } from "../../core/traffic/locality.ts";

/** Facts of a Pod that its endpoints have. */
export interface PodFacts {
  readonly namespace: string;
  readonly name: string;
  /** undefined while the Pod has no address. */
  readonly address: string | undefined;
  readonly labels: Labels;
  readonly serviceAccount: string;
  readonly locality: string | undefined;
  readonly workload: string;
  /** Running, and not about to end. */
  readonly isAlive: boolean;
  readonly isReady: boolean;
  /** Container ports by name. */
  readonly ports: ReadonlyMap<string, number>;
}

/** Label that a Deployment gives to the Pods of each of its versions; it is a part of their names. */
const TEMPLATE_HASH_LABEL = "pod-template-hash";
/** Istio's label for a locality; dots stand for slashes. */
const ISTIO_LOCALITY_LABEL = "istio-locality";

/** The Pods of the documents, found by their names, their addresses and their labels. */
export class Pods {
  readonly #all: readonly PodFacts[];
  readonly #byName: ReadonlyMap<string, PodFacts>;
  /** undefined for an address that several Pods have, such as a machine's own. */
  readonly #byAddress = new Map<string, PodFacts | undefined>();
  readonly #nodes: ReadonlyMap<string, Labels>;

  constructor({ pods, nodes }: Pick<KubernetesDocuments, "pods" | "nodes">) {
    this.#nodes = new Map(nodes.map(({ metadata }) => [metadata.name, metadata.labels]));
    this.#all = pods.map((pod) => this.#factsOf(pod));
    this.#byName = new Map(this.#all.map((pod) => [`${pod.namespace}/${pod.name}`, pod]));
    for (const pod of this.#all)
      if (pod.address !== undefined && pod.isAlive)
        this.#byAddress.set(pod.address, this.#byAddress.has(pod.address) ? undefined : pod);
  }

  find(namespace: string, name: string): PodFacts | undefined {
    return this.#byName.get(`${namespace}/${name}`);
  }

  at(address: string): PodFacts | undefined {
    return this.#byAddress.get(address);
  }

  /** The Pods of a namespace with all these labels that have an address and are alive. */
  selected(namespace: string, selector: Labels): readonly PodFacts[] {
    return this.#all.filter(
      (pod) => pod.namespace === namespace && isServing(pod) && selects(selector, pod.labels),
    );
  }

  /** Ready Pods as workloads, which the workloadSelector of a ServiceEntry selects as it does WorkloadEntries. */
  get workloads(): readonly TrafficDocument<WorkloadEntrySpec>[] {
    return this.#all.flatMap(
      ({ namespace, name, address, labels, serviceAccount, locality, workload, ...pod }) =>
        address === undefined || !pod.isAlive || !pod.isReady
          ? []
          : [
              {
                metadata: {
                  namespace,
                  name,
                  labels: { [WORKLOAD_LABEL]: workload, ...labels },
                  annotations: {},
                },
                location: { file: "", line: 1, column: 1 },
                spec: { address, serviceAccount, ...(locality === undefined ? {} : { locality }) },
              },
            ],
    );
  }

  /** The locality of a machine, by its labels; undefined when its region is not known. */
  localityOf(node: string | null | undefined, zone?: string | null, region?: string): string | undefined {
    const labels = this.#nodes.get(node ?? "") ?? {};
    const [regionLabel, zoneLabel, subzoneLabel] = LOCALITY_LABELS;
    const known = labels[regionLabel] ?? region;
    if (known === undefined || known === "") return undefined;
    const parts = [known, labels[zoneLabel] ?? zone, labels[subzoneLabel]];
    const end = parts.findIndex((part) => part === undefined || part === null || part === "");
    return parts.slice(0, end < 0 ? parts.length : end).join("/");
  }

  #factsOf({ metadata, spec: pod }: TrafficDocument<PodDocument>): PodFacts {
    const { spec, status } = pod;
    const { name, namespace, labels } = metadata;
    const ready = status?.conditions?.find(({ type }) => type === "Ready");
    const ports = (spec?.containers ?? []).flatMap((container) => container.ports ?? []);
    return {
      namespace,
      name,
      address: status?.podIP,
      labels,
      serviceAccount: spec?.serviceAccountName ?? "default",
      locality: labels[ISTIO_LOCALITY_LABEL]?.replaceAll(".", "/") ?? this.localityOf(spec?.nodeName),
      workload: labels[WORKLOAD_LABEL] ?? workloadOf(name, labels[TEMPLATE_HASH_LABEL]),
      isAlive:
        (status?.phase ?? "Running") === "Running" && (pod.metadata.deletionTimestamp ?? null) === null,
      isReady: ready === undefined || ready.status === "True",
      ports: new Map(
        ports.flatMap(({ name: port, containerPort }) => (port === undefined ? [] : [[port, containerPort]])),
      ),
    };
  }
}

function isServing({ address, isAlive }: PodFacts): boolean {
  return address !== undefined && isAlive;
}

/** The Deployment's name in `reviews-v1-6d8bc58dd7-ts8kw`, whose hash is 6d8bc58dd7; without a hash, the Pod's own. */
function workloadOf(name: string, hash: string | undefined): string {
  const end = hash === undefined ? -1 : name.lastIndexOf(`-${hash}-`);
  return end <= 0 ? name : name.slice(0, end);
}
