// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { hostIntersection } from "../../../traffic/host-name.ts";
import { GATEWAY_API_GROUP, type ParentRefSpec } from "./fields.ts";
import type { ListenerSpec } from "./gateway.ts";

export type RouteKind = "HTTPRoute" | "GRPCRoute" | "TLSRoute" | "TCPRoute";

/** The label that every namespace of Kubernetes has, with its name. */
const NAMESPACE_NAME = "kubernetes.io/metadata.name";

export function isGatewayRef({ group = GATEWAY_API_GROUP, kind = "Gateway" }: ParentRefSpec): boolean {
  return group === GATEWAY_API_GROUP && kind === "Gateway";
}

export function isServiceRef({ group = GATEWAY_API_GROUP, kind = "Gateway" }: ParentRefSpec): boolean {
  return group === "" && kind === "Service";
}

/** The hosts with which a route is attached to a listener; empty when it is not. */
export function attachedHosts(
  route: {
    readonly kind: RouteKind;
    readonly namespace: string;
    readonly hostnames: readonly string[] | undefined;
  },
  parent: ParentRefSpec,
  listener: ListenerSpec,
  gatewayNamespace: string,
): readonly string[] {
  if (parent.sectionName !== undefined && parent.sectionName !== listener.name) return [];
  if (parent.port !== undefined && parent.port !== listener.port) return [];
  if (!carries(listener, route.kind) || !allows(listener, route.namespace, gatewayNamespace)) return [];
  const served = listener.hostname ?? "*";
  const asked = route.hostnames === undefined || route.hostnames.length === 0 ? ["*"] : route.hostnames;
  return [...new Set(asked.flatMap((host) => hostIntersection(served, host) ?? []))];
}

/** Whether the listener's protocol, and its list of kinds, take routes of the kind. */
function carries({ protocol, tls, allowedRoutes }: ListenerSpec, kind: RouteKind): boolean {
  const kinds = allowedRoutes?.kinds;
  if (
    kinds !== undefined &&
    kinds.length > 0 &&
    !kinds.some((each) => (each.group ?? GATEWAY_API_GROUP) === GATEWAY_API_GROUP && each.kind === kind)
  )
    return false;
  if (protocol === "HTTP" || protocol === "HTTPS") return kind === "HTTPRoute" || kind === "GRPCRoute";
  if (protocol === "TCP") return kind === "TCPRoute";
  if (protocol === "UDP") return false;
  return kind === "TLSRoute" || (kind === "TCPRoute" && tls?.mode !== "Passthrough");
}

function allows({ allowedRoutes }: ListenerSpec, namespace: string, gatewayNamespace: string): boolean {
  const { from = "Same", selector } = allowedRoutes?.namespaces ?? {};
  if (from === "All") return true;
  if (from === "Same") return namespace === gatewayNamespace;
  return from === "Selector" && selector !== undefined && selectsNamespace(selector, namespace);
}

type LabelSelector = NonNullable<
  NonNullable<NonNullable<ListenerSpec["allowedRoutes"]>["namespaces"]>["selector"]
>;

/** Whether the selector reads the namespace's name alone: documents have no other labels of namespaces. */
export function isDecidable({ matchLabels = {}, matchExpressions = [] }: LabelSelector): boolean {
  return (
    Object.keys(matchLabels).every((key) => key === NAMESPACE_NAME) &&
    matchExpressions.every(({ key, operator }) => key === NAMESPACE_NAME && operator === "In")
  );
}

function selectsNamespace(selector: LabelSelector, namespace: string): boolean {
  const { matchLabels = {}, matchExpressions = [] } = selector;
  return (
    isDecidable(selector) &&
    Object.values(matchLabels).every((value) => value === namespace) &&
    matchExpressions.every(({ values = [] }) => values.includes(namespace))
  );
}
