// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { TrafficDocuments } from "../../core/snapshot/snapshot.ts";
import { Pods } from "./kubernetes-pods.ts";
import { kubernetesServices } from "./registry-kubernetes.ts";
import { createStaticRegistry, type Registry } from "./registry-static.ts";

type RegistryDocuments = Pick<TrafficDocuments, "serviceEntries" | "workloadEntries" | "kubernetes">;

/** The services of Kubernetes' documents and of ServiceEntries together; a Service comes before a ServiceEntry of its host. */
export function createRegistry({ serviceEntries, workloadEntries, kubernetes }: RegistryDocuments): Registry {
  if (kubernetes === undefined) return createStaticRegistry({ serviceEntries, workloadEntries });
  const pods = new Pods(kubernetes);
  return createStaticRegistry(
    { serviceEntries, workloadEntries: [...workloadEntries, ...pods.workloads] },
    kubernetesServices(kubernetes, pods, workloadEntries),
  );
}
