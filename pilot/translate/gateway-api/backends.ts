// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { isService } from "../../../core/documents/kinds/gateway-api/backend-faults.ts";
import {
  type BackendTargetSpec,
  GATEWAY_API_GROUP,
} from "../../../core/documents/kinds/gateway-api/fields.ts";
import { mayRefer } from "../../../core/documents/kinds/gateway-api/reference-grant.ts";
import type {
  HttpDestinationSpec,
  HttpRouteSpec,
} from "../../../core/documents/kinds/virtual-service-schema.ts";
import type { GatewayApiDocuments } from "../../../core/snapshot/snapshot.ts";
import { canonicalHost } from "../../../core/traffic/host-name.ts";
import type { RouteKind } from "../../../core/documents/kinds/gateway-api/attachment.ts";
import type { Registry } from "../../registry/registry-static.ts";
import { type BackendFilter, backendHeadersOf } from "./headers.ts";

type Target = HttpDestinationSpec["destination"];

/** The documents that a route's references are looked up in. */
export interface Backends {
  readonly registry: Registry;
  readonly grants: GatewayApiDocuments["referenceGrants"];
}

/** A host that no document can declare: its connections are refused, and its requests get 503. */
const NOWHERE = "backend.invalid";

/** The destination of a reference; undefined when it is not permitted, or no Service and port of these names exist. */
export function targetOf(
  ref: BackendTargetSpec,
  route: { readonly kind: RouteKind; readonly namespace: string },
  { registry, grants }: Backends,
): Target | undefined {
  const { name, namespace = route.namespace, port = 0 } = ref;
  if (!isService(ref)) return undefined;
  const from = { group: GATEWAY_API_GROUP, kind: route.kind, namespace: route.namespace };
  if (!mayRefer(from, { group: "", kind: "Service", namespace, name }, grants)) return undefined;
  const host = canonicalHost(name, namespace);
  const service = registry.find(host, namespace);
  if (service?.ports.some(({ number }) => number === port) !== true) return undefined;
  return { host, port: { number: port } };
}

/** The fields of a route that decide where its requests go. */
export type Forwarding = Pick<HttpRouteSpec, "route" | "directResponse" | "fault">;

/**
 * The destinations of a rule. Wrong references get their share of the requests too, which is refused: an HTTP request with
 * 500, a gRPC call with UNAVAILABLE, as the API reference says of `backendRefs`.
 */
export function forwardingOf(
  refs: readonly (BackendTargetSpec & {
    readonly weight?: number;
    readonly filters?: readonly BackendFilter[];
  })[],
  route: { readonly kind: RouteKind; readonly namespace: string },
  backends: Backends,
): Forwarding {
  const weighted = refs.map((ref) => ({
    ref,
    weight: ref.weight ?? 1,
    target: targetOf(ref, route, backends),
  }));
  const total = weighted.reduce((sum, { weight }) => sum + weight, 0);
  const destinations = weighted.flatMap(({ ref, weight, target }): HttpDestinationSpec[] => {
    const headers = backendHeadersOf(ref.filters ?? []);
    if (target === undefined || weight === 0) return [];
    return [{ destination: target, weight, ...(headers === undefined ? {} : { headers }) }];
  });
  const good = destinations.reduce((sum, { weight = 0 }) => sum + weight, 0);
  const isGrpc = route.kind === "GRPCRoute";
  if (good === 0 && !isGrpc) return { directResponse: { status: 500 } };
  if (good === total) return { route: destinations };
  const percentage = { value: (100 * (total - good)) / Math.max(total, 1) };
  if (good === 0)
    return {
      route: [{ destination: { host: NOWHERE } }],
      fault: { abort: { grpcStatus: "UNAVAILABLE", percentage: { value: 100 } } },
    };
  return {
    route: destinations,
    fault: {
      abort: { ...(isGrpc ? { grpcStatus: "UNAVAILABLE" as const } : { httpStatus: 500 }), percentage },
    },
  };
}

/** The destinations of connections; a wrong reference refuses its share of them. */
export function connectionTargets(
  refs: readonly (BackendTargetSpec & { readonly weight?: number })[],
  route: { readonly kind: RouteKind; readonly namespace: string },
  backends: Backends,
): { readonly destination: Target; readonly weight: number }[] {
  const targets = refs
    .map((ref) => ({
      destination: targetOf(ref, route, backends) ?? { host: NOWHERE },
      weight: ref.weight ?? 1,
    }))
    .filter(({ weight }) => weight > 0);
  return targets.length === 0 ? [{ destination: { host: NOWHERE }, weight: 1 }] : targets;
}
