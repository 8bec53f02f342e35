// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import Type, { type Static } from "typebox";
import { Closed } from "../fields.ts";
import type { KindDefinition } from "../kind.ts";
import { gatewayApiVersions, ObjectName } from "./fields.ts";

const Peer = {
  group: Type.String({ maxLength: 253, description: "The group; empty for Kubernetes' core." }),
  kind: Type.String({ minLength: 1, maxLength: 63, description: "The kind." }),
};

const ReferenceGrantSpecSchema = Closed({
  from: Type.Array(
    Closed({
      ...Peer,
      namespace: Type.String({
        minLength: 1,
        maxLength: 63,
        description: "The namespace of the documents that refer.",
      }),
    }),
    {
      minItems: 1,
      maxItems: 16,
      description: "The documents that may refer, such as HTTPRoutes of a namespace.",
    },
  ),
  to: Type.Array(
    Closed({ ...Peer, name: Type.Optional(ObjectName("One document; default: all of the kind.")) }),
    {
      minItems: 1,
      maxItems: 16,
      description: "The Services and Secrets of the grant's own namespace that they may refer to.",
    },
  ),
});

export type ReferenceGrantSpec = Static<typeof ReferenceGrantSpecSchema>;

export const REFERENCE_GRANT = {
  kind: "ReferenceGrant",
  apiVersions: gatewayApiVersions("v1beta1", "v1", "v1alpha2"),
  description:
    "Permits routes and Gateways of other namespaces to refer to Services and Secrets of this one.",
  spec: ReferenceGrantSpecSchema,
} as const satisfies KindDefinition;

/** A document of one namespace, as a reference names it. */
export interface Referent {
  readonly group: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

/** The ReferenceGrants of a set. */
export type Grants = readonly {
  readonly metadata: { readonly namespace: string };
  readonly spec: ReferenceGrantSpec;
}[];

/** Whether a document may refer to another: in its own namespace always, else by a grant of the other's namespace. */
export function mayRefer(from: Omit<Referent, "name">, to: Referent, grants: Grants): boolean {
  if (from.namespace === to.namespace) return true;
  return grants.some(
    ({ metadata, spec }) =>
      metadata.namespace === to.namespace &&
      spec.from.some(
        (each) => each.group === from.group && each.kind === from.kind && each.namespace === from.namespace,
      ) &&
      spec.to.some(
        (each) =>
          each.group === to.group &&
          each.kind === to.kind &&
          (each.name === undefined || each.name === to.name),
      ),
  );
}
