// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { isServiceRef } from "../../../core/documents/kinds/gateway-api/attachment.ts";
import type { ParentRefSpec } from "../../../core/documents/kinds/gateway-api/fields.ts";
import {
  MESH_GATEWAY,
  type VirtualServiceSpec,
} from "../../../core/documents/kinds/virtual-service-schema.ts";
import type { TrafficDocument } from "../../../core/snapshot/snapshot.ts";
import { canonicalHost } from "../../../core/traffic/host-name.ts";
import type { Workload } from "../workload.ts";
import type { Backends } from "./backends.ts";
import { inPrecedence } from "./precedence.ts";
import type { AnyRoute } from "./route-documents.ts";

type VirtualService = TrafficDocument<VirtualServiceSpec>;

/**
 * Routes with a Service as parent, for the calls of sidecars. Routes of the caller's own namespace (consumer routes) come
 * before those of the service's (producer routes), and routes of other namespaces are not for the caller (GEP-1226).
 */
export function meshRoutes(
  routes: readonly AnyRoute[],
  { namespace }: Workload,
  backends: Backends,
): readonly VirtualService[] {
  const ofServices = new Map<string, { readonly producer: AnyRoute[]; readonly consumer: AnyRoute[] }>();
  for (const route of routes) {
    if (route.connections !== undefined) continue;
    for (const parent of route.parents.filter(isServiceRef)) {
      const { name, namespace: ofService = route.metadata.namespace } = parent;
      const host = canonicalHost(name, ofService);
      const known = ofServices.get(host) ?? { producer: [], consumer: [] };
      ofServices.set(host, known);
      const single = { ...route, parents: [parent] };
      if (route.metadata.namespace === ofService) known.producer.push(single);
      else if (route.metadata.namespace === namespace) known.consumer.push(single);
    }
  }
  return [...ofServices].flatMap(([host, { producer, consumer }]) => {
    const used = consumer.length > 0 ? consumer : producer;
    const [first] = used;
    if (first === undefined) return [];
    const { metadata, location } = first;
    const ranked = used.flatMap((route) => {
      const [parent] = route.parents;
      const port = parent?.sectionName === undefined ? parent?.port : portNamed(parent, host, backends);
      if (parent?.sectionName !== undefined && port === undefined) return [];
      return route.ranked({
        kind: route.kind,
        metadata: route.metadata,
        listener: undefined,
        port,
        backends,
      });
    });
    const spec: VirtualServiceSpec = {
      hosts: [host],
      gateways: [MESH_GATEWAY],
      http: [...inPrecedence(ranked)],
    };
    return [{ metadata, location, spec }];
  });
}

/** The number of the Service's port with the name; undefined without one, or for another number than `port`. */
function portNamed(
  { sectionName, port }: ParentRefSpec,
  host: string,
  { registry }: Backends,
): number | undefined {
  const named = registry.find(host, "")?.ports.find(({ name }) => name === sectionName)?.number;
  return port === undefined || port === named ? named : undefined;
}
