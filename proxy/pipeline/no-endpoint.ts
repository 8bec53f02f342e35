// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Cluster } from "../../core/traffic/resources/cluster.ts";
import type { ErrorKind } from "../exchange/local-reply.ts";

/** The reply to a request whose cluster has no endpoint for it: NC for an undeclared destination, else UH, as Envoy's. */
export function noEndpointReply(
  { service, subset, isMissing }: Cluster,
  endpoints: number,
): { readonly kind: ErrorKind; readonly detail: string } {
  if (isMissing !== true) {
    const what = endpoints === 0 ? "endpoint" : "healthy endpoint";
    return { kind: "no_healthy_upstream", detail: `${service.name} has no ${what}.` };
  }
  const what = subset === undefined ? "the service with this port" : `the service's subset ${subset}`;
  return { kind: "cluster_not_found", detail: `${service.name}: no document declares ${what}.` };
}
