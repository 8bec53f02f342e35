// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import Type, { type Static } from "typebox";
import { FORM_KEYWORD } from "../../schema/form.ts";
import { Closed } from "../fields.ts";
import { LABEL, PortNumber } from "../traffic-fields.ts";

/** Field types that the kinds of the Gateway API share (its API reference, version 1). */

export const GATEWAY_API_GROUP = "gateway.networking.k8s.io";

/** The apiVersions of a kind, newest first. */
export function gatewayApiVersions<const V extends string>(...versions: readonly [V, ...V[]]) {
  const [first, ...others] = versions.map((version) => `${GATEWAY_API_GROUP}/${version}`);
  return [first as string, ...others] as const satisfies readonly [string, ...string[]];
}

export function ObjectName(description: string) {
  return Type.String({ minLength: 1, maxLength: 253, description });
}

export function Group(description: string) {
  return Type.Optional(Type.String({ maxLength: 253, description }));
}

export function Kind(description: string) {
  return Type.Optional(Type.String({ minLength: 1, maxLength: 63, description }));
}

export function NamespaceName(description: string) {
  return Type.Optional(Type.String({ pattern: `^${LABEL}$`, maxLength: 63, description }));
}

/** A DNS name, perhaps with the first label `*`. */
export function Hostname(description: string) {
  return Type.String({
    pattern: `^(\\*\\.)?${LABEL}(\\.${LABEL})*$`,
    maxLength: 253,
    description,
    [FORM_KEYWORD]: "a host name in lower case, or *.example.com",
  });
}

export function Hostnames() {
  return Type.Optional(
    Type.Array(Hostname("A host name or `*.example.com`."), {
      maxItems: 16,
      description:
        "The hosts of the requests; those that the listener has too count. Default: the listener's. A Service as parent ignores them.",
    }),
  );
}

const ParentRef = Closed({
  group: Group(`\`${GATEWAY_API_GROUP}\` (default), or empty for a Service.`),
  kind: Kind("`Gateway` (default), or `Service`: the sidecars that call the service."),
  namespace: NamespaceName("The parent's namespace; default the route's."),
  name: ObjectName("The parent's name."),
  sectionName: Type.Optional(
    ObjectName("One listener of the Gateway, or port of the Service; default: all."),
  ),
  port: Type.Optional(PortNumber("The listeners, or the Service's port, with this number; default: all.")),
});

export function ParentRefs() {
  return Type.Optional(
    Type.Array(ParentRef, {
      maxItems: 32,
      description: "The Gateways and Services that the route is attached to.",
    }),
  );
}

export const TARGET_FIELDS = {
  group: Group("Empty (default): Kubernetes' core."),
  kind: Kind("`Service` (default); requests for another kind get 500."),
  name: ObjectName("The Service's name."),
  namespace: NamespaceName("Its namespace; default the route's. Another one needs a ReferenceGrant there."),
  port: Type.Optional(PortNumber("The Service's port; required.")),
};

export const Weight = Type.Optional(
  Type.Integer({
    minimum: 0,
    maximum: 1_000_000,
    description: "The share, relative to the sum of the rule's weights; default 1.",
  }),
);

export const BackendTarget = Closed(TARGET_FIELDS);

export type ParentRefSpec = Static<typeof ParentRef>;
export type BackendTargetSpec = Static<typeof BackendTarget>;
