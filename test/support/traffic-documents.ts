// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import {
  DEFAULT_ROOT_NAMESPACE,
  type MeshConfigSpec,
  trustDomainsOf,
} from "../../core/documents/kinds/mesh-config.ts";
import { DEFAULT_LISTENER_LIMITS } from "../../core/traffic/listener-limits.ts";
import { DEFAULT_PATH_NORMALIZATION } from "../../kernel/canonical/path.ts";
import { parseDocuments } from "../../core/documents/parse-documents.ts";
import { formatDiagnostic } from "../../kernel/diagnostic.ts";
import type { TrafficDocument, TrafficDocuments } from "../../core/snapshot/snapshot.ts";

/** The routing documents of `text`, each checked like a document of a loaded file; throws on any fault. */
export function trafficDocuments(text: string): TrafficDocuments {
  const { documents, diagnostics } = parseDocuments({ path: "test.yaml", text });
  assert.deepEqual(
    diagnostics.map((diagnostic) => formatDiagnostic(diagnostic)),
    [],
  );
  const ofKind = <S>(kind: string) =>
    documents
      .filter(({ definition }) => definition.kind === kind)
      .map(({ metadata, location, spec }): TrafficDocument<S> => ({ metadata, location, spec: spec as S }));
  return {
    pathNormalization: DEFAULT_PATH_NORMALIZATION,
    limits: DEFAULT_LISTENER_LIMITS,
    rootNamespace: DEFAULT_ROOT_NAMESPACE,
    serviceEntries: ofKind("ServiceEntry"),
    workloadEntries: ofKind("WorkloadEntry"),
    virtualServices: ofKind("VirtualService"),
    destinationRules: ofKind("DestinationRule"),
    sidecars: ofKind("Sidecar"),
    gateways: ofKind("Gateway"),
    overloads: ofKind("Overload"),
    healthChecks: ofKind("HealthCheck"),
    peerAuthentications: ofKind("PeerAuthentication"),
    trustDomains: trustDomainsOf(ofKind<MeshConfigSpec>("MeshConfig")[0]?.spec),
    requestAuthentications: ofKind("RequestAuthentication"),
    kubernetes: {
      services: ofKind("Service"),
      endpointSlices: ofKind("EndpointSlice"),
      endpoints: ofKind("Endpoints"),
      pods: ofKind("Pod"),
      nodes: ofKind("Node"),
    },
    gatewayApi: {
      gateways: ofKind("KubernetesGateway"),
      httpRoutes: ofKind("HTTPRoute"),
      grpcRoutes: ofKind("GRPCRoute"),
      tlsRoutes: ofKind("TLSRoute"),
      tcpRoutes: ofKind("TCPRoute"),
      referenceGrants: ofKind("ReferenceGrant"),
    },
  };
}

/** A document of one of Istio's kinds, with the line that divides it from the next. */
export function istioDocument(
  kind: string,
  metadata: { readonly name: string; readonly namespace?: string; readonly labels?: object },
  spec: object,
): string {
  return `${JSON.stringify({ apiVersion: "networking.istio.io/v1", kind, metadata, spec })}\n---\n`;
}

/** Services with versions and subsets, a Gateway, and routes for the edge and within the mesh. */
export const BOOKSHOP = readFileSync(
  new URL("../../pilot/translate/testdata/bookshop.yaml", import.meta.url),
  "utf8",
);
