// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { TCP_ROUTE, TLS_ROUTE } from "../core/documents/kinds/gateway-api/connection-routes.ts";
import { KUBERNETES_GATEWAY } from "../core/documents/kinds/gateway-api/gateway.ts";
import { GRPC_ROUTE } from "../core/documents/kinds/gateway-api/grpc-route.ts";
import { HTTP_ROUTE } from "../core/documents/kinds/gateway-api/http-route.ts";
import { REFERENCE_GRANT } from "../core/documents/kinds/gateway-api/reference-grant.ts";
import { writtenKind } from "../core/documents/kinds/kind.ts";
import { type FieldSchema, fieldTable } from "./routing-tables.ts";
import type { Sample } from "../test/istio/load-samples.ts";
import { isLoading, rowOf } from "../test/istio/samples-page.ts";

const KINDS = [KUBERNETES_GATEWAY, HTTP_ROUTE, GRPC_ROUTE, TLS_ROUTE, TCP_ROUTE, REFERENCE_GRANT];

/** The text of docs/reference/gateway-api.md. */
export function gatewayApiPage(samples: readonly Sample[]): string {
  const loading = samples.filter(isLoading).length;
  const tables = KINDS.map(
    (kind) =>
      `### ${writtenKind(kind)}\n\n\`${kind.apiVersions.join("`, `")}\`. ${kind.description}\n\n${fieldTable(kind.kind, kind.spec as FieldSchema, {})}`,
  );
  return `${PROSE}
## Fields

${tables.join("\n")}
## The project's examples

${loading} of ${samples.length} examples load unchanged, ${((100 * loading) / samples.length).toFixed(1)} %. They are copies of our own of the examples of the
Gateway API's standard channel, with the same fields, in \`test/istio/gateway-api/\`. Each is loaded alone, as \`purser run --skip-foreign\`
does, with the Services of \`test/istio/registry.yaml\`. *Warns* counts references to what another example declares, and parts without effect.

| example | kinds | result |
|---|---|---|
${samples.map((sample) => rowOf(sample, "")).join("\n")}

This page is made by \`npm run generated\`.
`;
}

const PROSE = `# Gateway API

Purser reads the documents of Kubernetes' Gateway API beside Istio's, and routes by both with one engine: pilot makes Gateways and VirtualServices of
them. A host that has an Istio VirtualService and an HTTPRoute uses the VirtualService's routes first.

\`\`\`yaml
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: { name: public }
spec:
  gatewayClassName: purser
  listeners:
    - { name: http, port: 8080, protocol: HTTP, hostname: "*.example.com" }
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: { name: shop }
spec:
  parentRefs: [{ name: public }]
  hostnames: [shop.example.com]
  rules:
    - matches: [{ path: { type: PathPrefix, value: /old } }]
      filters:
        - type: RequestRedirect
          requestRedirect: { path: { type: ReplacePrefixMatch, replacePrefixMatch: /new }, statusCode: 301 }
    - backendRefs:
        - { name: shop-v1, port: 80, weight: 9 }
        - { name: shop-v2, port: 80, weight: 1 }
---
apiVersion: v1
kind: Service
metadata: { name: shop-v1 }
spec: { ports: [{ name: http, port: 80 }], selector: { app: shop, version: v1 } }
---
apiVersion: v1
kind: Service
metadata: { name: shop-v2 }
spec: { ports: [{ name: http, port: 80 }], selector: { app: shop, version: v2 } }
\`\`\`

- **Edges**: an edge without the label \`gateway.networking.k8s.io/gateway-name\` serves every Gateway; an edge with it (\`--label\`) serves the Gateways of that
  name alone. Where two Gateways of one edge have a port with different protocols, or the same host with TLS, the first is served, with a warning. GatewayClasses, addresses and \`infrastructure\` have no effect.
- **Precedence**: the most exact host has its own routes alone. Among these, whatever document they are from: an exact path, a regular expression, the longest prefix,
  then a method, most headers, most query parameters, then the order of the documents (files by name). For GRPCRoutes: most characters of the service, then of the method.
- **Wrong references**: a backend that is not permitted, or that no Service has with this port, gets its share of the requests, and each of these is answered with 500 (a gRPC
  call with UNAVAILABLE). The share is drawn like an injected fault. A Service without endpoints gives 503. Loading warns of each reference; \`--strict\` makes the warnings errors.
- **Other namespaces**: a backend or Secret of another namespace needs a ReferenceGrant there. A listener without a permitted certificate is not served.
- **Listener isolation**: of the listeners of a port, the one with the most specific hostname for a host decides by its \`allowedRoutes\` which routes the host has.
- **allowedRoutes**: documents have no labels of namespaces but \`kubernetes.io/metadata.name\`. Any other selector selects nothing, with a warning.
- **Service as parent** (the mesh, GAMMA): the routes are for the calls of sidecars. A caller's namespace that has routes of its own for the Service uses these alone; else
  the routes of the Service's namespace are used. Calls that no rule takes get 404.
- **Retries**: without \`retry\` a request has Purser's default retries ([routing.md](routing.md)). \`timeouts.backendRequest\` ends at the response's headers.
- **CORS**: another origin's preflight is answered without CORS fields. Origins that let any site read with credentials are refused.
- **Certificates**: the first of \`certificateRefs\` names the folder of \`--credentials\` with \`tls.crt\` and \`tls.key\`. Checks of clients' certificates are refused: write Istio's
  Gateway with \`tls.mode: MUTUAL\`.
- Not read, and refused: BackendTLSPolicy, ListenerSet, UDPRoute, \`ExtensionRef\` and \`ExternalAuth\` filters, session persistence.
`;
