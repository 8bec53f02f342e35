// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { RouteKind } from "../../../core/documents/kinds/gateway-api/attachment.ts";
import type { ParentRefSpec } from "../../../core/documents/kinds/gateway-api/fields.ts";
import type { Metadata } from "../../../core/documents/kinds/kind.ts";
import type { SourceLocation } from "../../../kernel/diagnostic.ts";
import type { GatewayApiDocuments, TrafficDocument } from "../../../core/snapshot/snapshot.ts";
import type { RankedRoute } from "./precedence.ts";
import { grpcRoutesOf, httpRoutesOf, type RuleSource } from "./rules.ts";

/** A route document of any kind. */
export interface AnyRoute {
  readonly kind: RouteKind;
  readonly metadata: Metadata;
  readonly location: SourceLocation;
  readonly parents: readonly ParentRefSpec[];
  readonly hostnames: readonly string[] | undefined;
  /** The routes of requests; empty for connections. */
  readonly ranked: (source: RuleSource) => readonly RankedRoute[];
  readonly connections: TcpRules | undefined;
}

export type TcpRules = GatewayApiDocuments["tcpRoutes"][number]["spec"]["rules"];

/** In document order within a kind; HTTPRoutes before GRPCRoutes. */
export function routesOf({
  httpRoutes,
  grpcRoutes,
  tlsRoutes,
  tcpRoutes,
}: GatewayApiDocuments): readonly AnyRoute[] {
  const common = <
    S extends { readonly parentRefs?: readonly ParentRefSpec[]; readonly hostnames?: readonly string[] },
  >(
    { metadata, location, spec }: TrafficDocument<S>,
    kind: RouteKind,
  ) => ({ kind, metadata, location, parents: spec.parentRefs ?? [], hostnames: spec.hostnames });
  const connections = (documents: GatewayApiDocuments["tlsRoutes"], kind: RouteKind) =>
    documents.map((document) => ({
      ...common(document, kind),
      ranked: () => [],
      connections: document.spec.rules,
    }));
  return [
    ...httpRoutes.map((document) => ({
      ...common(document, "HTTPRoute"),
      ranked: (source: RuleSource) => httpRoutesOf(document.spec, source),
      connections: undefined,
    })),
    ...grpcRoutes.map((document) => ({
      ...common(document, "GRPCRoute"),
      ranked: (source: RuleSource) => grpcRoutesOf(document.spec, source),
      connections: undefined,
    })),
    ...connections(tlsRoutes, "TLSRoute"),
    ...connections(tcpRoutes, "TCPRoute"),
  ];
}
