// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Diagnostic } from "../../../kernel/diagnostic.ts";
import { suggest } from "../../../kernel/suggest.ts";
import { documentsOf, type ParsedDocument } from "../document.ts";
import {
  attachedHosts,
  isDecidable,
  isGatewayRef,
  isServiceRef,
  type RouteKind,
} from "../kinds/gateway-api/attachment.ts";
import { conflictedListeners } from "../kinds/gateway-api/conflicts.ts";
import { TCP_ROUTE, TLS_ROUTE } from "../kinds/gateway-api/connection-routes.ts";
import { GATEWAY_API_GROUP, type ParentRefSpec } from "../kinds/gateway-api/fields.ts";
import {
  GATEWAY_CLASS,
  KUBERNETES_GATEWAY,
  type KubernetesGatewaySpec,
  type ListenerSpec,
} from "../kinds/gateway-api/gateway.ts";
import { GRPC_ROUTE } from "../kinds/gateway-api/grpc-route.ts";
import { HTTP_ROUTE } from "../kinds/gateway-api/http-route.ts";
import {
  type Grants,
  mayRefer,
  REFERENCE_GRANT,
  type ReferenceGrantSpec,
} from "../kinds/gateway-api/reference-grant.ts";
import { GATEWAY_NAME_LABEL } from "../kinds/target-refs.ts";
import type { DocumentPath } from "../yaml/places.ts";
import type { DocumentSet } from "./document-set.ts";
import { faultsOfBackendRefs } from "./gateway-api-backends.ts";
import { noEffect, unresolved } from "./no-effect.ts";

const ROUTE_KINDS = [HTTP_ROUTE, GRPC_ROUTE, TLS_ROUTE, TCP_ROUTE] as const;

/**
 * Warns of references in documents of the Gateway API that lead nowhere, and of parts that have no effect here. The API
 * reports them in a document's status; requests get 404 or 500 meanwhile.
 */
export function warningsOfGatewayApi(set: DocumentSet): readonly Diagnostic[] {
  const grants = documentsOf(set.documents, REFERENCE_GRANT).map(({ metadata, spec }) => ({
    metadata,
    spec: spec as ReferenceGrantSpec,
  }));
  const gateways = documentsOf(set.documents, KUBERNETES_GATEWAY);
  const conflicted = conflictedListeners(
    gateways.flatMap(({ spec }) => (spec as KubernetesGatewaySpec).listeners),
  );
  return [
    ...documentsOf(set.documents, GATEWAY_CLASS).map(
      (document): Diagnostic => ({
        ...noEffect(document, ["kind"], "Purser serves every Gateway, whatever its class"),
        severity: "note",
      }),
    ),
    ...gateways.flatMap((document) => warningsOfGateway(document, grants, conflicted)),
    ...ROUTE_KINDS.flatMap((definition) =>
      documentsOf(set.documents, definition).flatMap((document) => [
        ...warningsOfParents(document, definition.kind, set),
        ...faultsOfBackendRefs(document, definition.kind, set, grants),
      ]),
    ),
  ];
}

function warningsOfGateway(
  document: ParsedDocument,
  grants: Grants,
  conflicted: ReadonlySet<ListenerSpec>,
): readonly Diagnostic[] {
  const { listeners, addresses = [] } = document.spec as KubernetesGatewaySpec;
  const { namespace } = document.metadata;
  const ofListeners = listeners.flatMap((listener, index): readonly Diagnostic[] => {
    const { protocol, tls, allowedRoutes } = listener;
    const at: DocumentPath = ["spec", "listeners", index];
    const [certificate, ...others] = tls?.certificateRefs ?? [];
    const { from, selector } = allowedRoutes?.namespaces ?? {};
    const warnings: Diagnostic[] = [];
    if (conflicted.has(listener))
      warnings.push(
        noEffect(
          document,
          at,
          `an earlier listener has the port with another protocol, or the same host with TLS; an edge with the label ${GATEWAY_NAME_LABEL} serves the Gateways of one name alone`,
        ),
      );
    if (protocol === "UDP")
      warnings.push(noEffect(document, [...at, "protocol"], "proxies forward TCP alone"));
    if (others.length > 0)
      warnings.push(
        noEffect(document, [...at, "tls", "certificateRefs", 1], "a listener has one certificate, the first"),
      );
    if (from === "Selector" && selector !== undefined && !isDecidable(selector))
      warnings.push(
        noEffect(
          document,
          [...at, "allowedRoutes", "namespaces", "selector"],
          "labels of namespaces are not known, so that no route is attached; select kubernetes.io/metadata.name",
        ),
      );
    if (certificate !== undefined) {
      const { group = "", kind = "Secret", name, namespace: ofSecret = namespace } = certificate;
      const referring = { group: GATEWAY_API_GROUP, kind: "Gateway", namespace };
      if (!mayRefer(referring, { group, kind, namespace: ofSecret, name }, grants))
        warnings.push(
          unresolved(
            document,
            [...at, "tls", "certificateRefs", 0, "namespace"],
            `No ReferenceGrant in ${ofSecret} permits the Secret ${name} to Gateways of ${namespace}: the listener is not served`,
          ),
        );
    }
    return warnings;
  });
  if (addresses.length === 0) return ofListeners;
  return [
    ...ofListeners,
    noEffect(document, ["spec", "addresses"], "the flags of an edge say where it listens"),
  ];
}

function warningsOfParents(
  document: ParsedDocument,
  kind: RouteKind,
  set: DocumentSet,
): readonly Diagnostic[] {
  const { parentRefs = [], hostnames } = document.spec as {
    readonly parentRefs?: readonly ParentRefSpec[];
    readonly hostnames?: readonly string[];
  };
  const { namespace } = document.metadata;
  if (parentRefs.length === 0)
    return [noEffect(document, ["spec"], "the route has no parentRefs, and is attached to nothing")];
  return parentRefs.flatMap((parent, index) => {
    const at: DocumentPath = ["spec", "parentRefs", index];
    if (isServiceRef(parent)) {
      if (kind === "HTTPRoute" || kind === "GRPCRoute") return [];
      return [
        noEffect(document, at, "a sidecar takes connections by its Sidecar document alone; name a Gateway"),
      ];
    }
    if (!isGatewayRef(parent))
      return [noEffect(document, at, `routes are not attached to a ${parent.kind ?? parent.group}`)];
    const gatewayNamespace = parent.namespace ?? namespace;
    const reference = `${gatewayNamespace}/${parent.name}`;
    const gateway = set.resolve(KUBERNETES_GATEWAY.kind, reference, namespace);
    if (gateway === undefined)
      return set.complete
        ? [
            unresolved(
              document,
              [...at, "name"],
              `There is no Gateway ${JSON.stringify(parent.name)} of ${GATEWAY_API_GROUP} in ${gatewayNamespace}`,
              set.suggest(KUBERNETES_GATEWAY.kind, parent.name, namespace),
            ),
          ]
        : [];
    if (!gateway.valid) return [];
    const { listeners } = gateway.spec as KubernetesGatewaySpec;
    const { sectionName } = parent;
    if (sectionName !== undefined && !listeners.some(({ name }) => name === sectionName)) {
      const names = listeners.map(({ name }) => name);
      const message = `The Gateway ${parent.name} has no listener ${JSON.stringify(sectionName)}, only ${names.join(", ")}`;
      return [unresolved(document, [...at, "sectionName"], message, suggest(sectionName, names))];
    }
    const route = { kind, namespace, hostnames };
    if (listeners.some((listener) => attachedHosts(route, parent, listener, gatewayNamespace).length > 0))
      return [];
    const reason = `no listener of the Gateway ${parent.name} takes the route: its protocol, port, hostname and allowedRoutes must permit it`;
    return [noEffect(document, at, reason)];
  });
}
