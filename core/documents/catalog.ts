// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { ACCESS_POLICY } from "./kinds/access-policy.ts";
import { AUTHORIZATION_POLICY } from "./kinds/authorization-policy.ts";
import { ATTRIBUTE_MANIFEST } from "./kinds/attribute-manifest.ts";
import { DESTINATION_RULE } from "./kinds/destination-rule.ts";
import { EMPTY_SET } from "./kinds/empty-set.ts";
import { GATEWAY } from "./kinds/gateway.ts";
import { HANDLER, RULE } from "./kinds/handler.ts";
import { HEALTH_CHECK } from "./kinds/health-check.ts";
import { groupOf, type KindDefinition, writtenKind } from "./kinds/kind.ts";
import { TCP_ROUTE, TLS_ROUTE } from "./kinds/gateway-api/connection-routes.ts";
import { GATEWAY_CLASS, KUBERNETES_GATEWAY } from "./kinds/gateway-api/gateway.ts";
import { GRPC_ROUTE } from "./kinds/gateway-api/grpc-route.ts";
import { HTTP_ROUTE } from "./kinds/gateway-api/http-route.ts";
import { REFERENCE_GRANT } from "./kinds/gateway-api/reference-grant.ts";
import { MESH_CONFIG } from "./kinds/mesh-config.ts";
import { OVERLOAD } from "./kinds/overload.ts";
import { PEER_AUTHENTICATION } from "./kinds/peer-authentication.ts";
import { POLICY_TEST } from "./kinds/policy-test.ts";
import { QUOTA_POLICY } from "./kinds/quota-policy.ts";
import { REQUEST_AUTHENTICATION } from "./kinds/request-authentication.ts";
import { SERVICE_ENTRY } from "./kinds/service-entry.ts";
import { SIDECAR } from "./kinds/sidecar.ts";
import { ENDPOINT_SLICE, ENDPOINTS } from "./kinds/kubernetes/endpoints.ts";
import { NODE, POD } from "./kinds/kubernetes/pod.ts";
import { SERVICE } from "./kinds/kubernetes/service.ts";
import { LOG_ENTRY, METRIC, TRACE_SPAN } from "./kinds/telemetry.ts";
import { VIRTUAL_SERVICE } from "./kinds/virtual-service.ts";
import { WORKLOAD_ENTRY } from "./kinds/workload-entry.ts";

/** The apiVersion of Purser's own kinds. */
export const PURSER_API_VERSION = "purser.dev/v1";

/** Every kind of document, in the order of the documentation. */
export const KINDS: readonly KindDefinition[] = [
  ACCESS_POLICY,
  QUOTA_POLICY,
  METRIC,
  LOG_ENTRY,
  TRACE_SPAN,
  HANDLER,
  RULE,
  ATTRIBUTE_MANIFEST,
  MESH_CONFIG,
  POLICY_TEST,
  EMPTY_SET,
  HEALTH_CHECK,
  SERVICE_ENTRY,
  WORKLOAD_ENTRY,
  VIRTUAL_SERVICE,
  DESTINATION_RULE,
  SIDECAR,
  GATEWAY,
  OVERLOAD,
  AUTHORIZATION_POLICY,
  PEER_AUTHENTICATION,
  REQUEST_AUTHENTICATION,
  SERVICE,
  ENDPOINT_SLICE,
  ENDPOINTS,
  POD,
  NODE,
  GATEWAY_CLASS,
  KUBERNETES_GATEWAY,
  HTTP_ROUTE,
  GRPC_ROUTE,
  TLS_ROUTE,
  TCP_ROUTE,
  REFERENCE_GRANT,
];

/** Istio's kinds that are refused, each with the reason and what to write instead, as the end of a sentence. */
export const REFUSED_KINDS: ReadonlyMap<string, string> = new Map([
  ["WorkloadGroup", "workloads do not register themselves; write a WorkloadEntry for each"],
  [
    "EnvoyFilter",
    "proxies are not Envoy, and have no filters of Envoy's; write a QuotaPolicy for rate limits, an AccessPolicy for decisions and headers, or a plugin",
  ],
  ["WasmPlugin", "proxies run no WebAssembly; write an AccessPolicy, or a plugin for a Handler"],
  [
    "ProxyConfig",
    "flags of purser proxy set what it sets for one proxy, and a MeshConfig for all; write those",
  ],
  [
    "Telemetry",
    "write a Metric, LogEntry or TraceSpan with its Handler, and tracing in the MeshConfig for the share of requests that are traced",
  ],
  ["PeerAuthentication", "write tls in a Gateway or a DestinationRule, with certificates of your own"],
  ["RequestAuthentication", "write an AccessPolicy on the header that the verifier of tokens sets"],
  ["AuthorizationPolicy", "write an AccessPolicy with the action ALLOW or DENY"],
  ["Ingress", "write a Gateway and a VirtualService, or an HTTPRoute"],
  ["UDPRoute", "proxies forward TCP alone"],
  ["ListenerSet", "write the listeners in the Gateway"],
  ["BackendTLSPolicy", "write a DestinationRule with trafficPolicy.tls for the Service"],
]);

const BY_NAME: ReadonlyMap<string, readonly KindDefinition[]> = new Map(
  KINDS.map((definition) => [
    writtenKind(definition),
    KINDS.filter((each) => writtenKind(each) === writtenKind(definition)),
  ]),
);

/**
 * The kind of a document; where several APIs have a kind of the name, the one in the group of the apiVersion, else the
 * first.
 */
export function findKind(kind: string, apiVersion?: unknown): KindDefinition | undefined {
  const named = BY_NAME.get(kind);
  if (named === undefined || named.length === 1 || typeof apiVersion !== "string") return named?.[0];
  const group = groupOf(apiVersion);
  return named.find(({ apiVersions }) => apiVersions.some((each) => groupOf(each) === group)) ?? named[0];
}
