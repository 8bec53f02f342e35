// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { conflictedListeners } from "../../../core/documents/kinds/gateway-api/conflicts.ts";
import { GATEWAY_NAME_LABEL } from "../../../core/documents/kinds/target-refs.ts";
import type { GatewayApiDocuments, TrafficDocuments } from "../../../core/snapshot/snapshot.ts";
import { createRegistry } from "../../registry/registry.ts";
import type { Workload } from "../workload.ts";
import { listenerRoutes, type Served, serverOf } from "./listeners.ts";
import { meshRoutes } from "./mesh.ts";
import { routesOf } from "./route-documents.ts";

/**
 * The documents with those of the Gateway API in Istio's form after Istio's own: each listener is a Gateway, and each of
 * its hosts a VirtualService with all rules for the host in the order of precedence.
 *
 * @param workload The workload whose proxy the documents are for.
 */
export function withGatewayApi(documents: TrafficDocuments, workload: Workload): TrafficDocuments {
  const { gatewayApi } = documents;
  if (gatewayApi === undefined || isEmpty(gatewayApi)) return documents;
  const backends = { registry: createRegistry(documents), grants: gatewayApi.referenceGrants };
  const served = servedListeners(gatewayApi, workload);
  const routes = routesOf(gatewayApi);
  const ofListeners = served.map((each) => listenerRoutes(each, routes, backends, served));
  return {
    ...documents,
    gateways: [
      ...documents.gateways,
      // An edge that no listener is for must not expose the whole mesh, which it does without any Gateway.
      ...gatewayApi.gateways.map(({ metadata, location }) => ({
        metadata: { ...metadata, name: `${metadata.name}:` },
        location,
        spec: { servers: [] },
      })),
      ...served.flatMap((each) => serverOf(each, gatewayApi)),
    ],
    virtualServices: [
      ...documents.virtualServices,
      ...meshRoutes(routes, workload, backends),
      ...ofListeners.flatMap(({ attached }) => attached),
      ...ofListeners.flatMap(({ rest }) => rest),
    ],
  };
}

/**
 * The listeners that the edge serves, without those that conflict with earlier ones. An edge with the label of a Gateway's
 * name serves the Gateways of that name alone.
 */
function servedListeners({ gateways }: GatewayApiDocuments, { labels }: Workload): readonly Served[] {
  const served = gateways
    .filter(({ metadata: { name } }) => (labels[GATEWAY_NAME_LABEL] ?? name) === name)
    .flatMap((gateway) => gateway.spec.listeners.map((listener) => ({ gateway, listener })));
  const conflicted = conflictedListeners(served.map(({ listener }) => listener));
  return served.filter(({ listener }) => !conflicted.has(listener));
}

function isEmpty({ gateways, httpRoutes, grpcRoutes, tlsRoutes, tcpRoutes }: GatewayApiDocuments): boolean {
  return [gateways, httpRoutes, grpcRoutes, tlsRoutes, tcpRoutes].every(({ length }) => length === 0);
}
