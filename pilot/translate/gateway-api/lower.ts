// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { GatewayApiDocuments, TrafficDocuments } from "../../../core/snapshot/snapshot.ts";
import { createRegistry } from "../../registry/registry.ts";
import type { Workload } from "../workload.ts";
import { listenerRoutes, serverOf } from "./listeners.ts";
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
  const served = gatewayApi.gateways.flatMap((gateway) =>
    gateway.spec.listeners.map((listener) => ({ gateway, listener })),
  );
  const routes = routesOf(gatewayApi);
  const ofListeners = served.map((each) => listenerRoutes(each, routes, backends));
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
      ...served.flatMap((each) => serverOf(each, gatewayApi, workload)),
    ],
    virtualServices: [
      ...documents.virtualServices,
      ...meshRoutes(routes, workload, backends),
      ...ofListeners.flatMap(({ attached }) => attached),
      ...ofListeners.flatMap(({ rest }) => rest),
    ],
  };
}

function isEmpty({ gateways, httpRoutes, grpcRoutes, tlsRoutes, tcpRoutes }: GatewayApiDocuments): boolean {
  return [gateways, httpRoutes, grpcRoutes, tlsRoutes, tcpRoutes].every(({ length }) => length === 0);
}
