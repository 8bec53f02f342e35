// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import Type, { type TObject, type TSchema } from "typebox";
import { MapOf } from "./kinds/map-of.ts";
import { Closed } from "./kinds/fields.ts";
import type { KindDefinition } from "./kinds/kind.ts";
import { FORM_KEYWORD } from "./schema/form.ts";

/** Kubernetes' object names (RFC 1123 subdomains), plus `_` for metric names. */
const NAME = "^[a-z0-9]([a-z0-9._-]*[a-z0-9])?$";

const NAME_FORM = 'a name such as reviews-per-user, of lower-case letters, digits, "-", "_" and "."';

/** A namespace is a DNS label (RFC 1123). */
const NAMESPACE = "^[a-z0-9]([a-z0-9-]*[a-z0-9])?$";

/** Fields that the API server of Kubernetes adds (ObjectMeta of its API reference), so that `kubectl get -o yaml` can be read. */
const SET_BY_SERVER = Object.fromEntries(
  [
    "clusterName",
    "creationTimestamp",
    "deletionGracePeriodSeconds",
    "deletionTimestamp",
    "finalizers",
    "generateName",
    "generation",
    "managedFields",
    "ownerReferences",
    "resourceVersion",
    "selfLink",
    "uid",
  ].map((name) => [name, Type.Optional(Type.Unknown({ description: "Set by Kubernetes, and ignored." }))]),
);

export const METADATA_SCHEMA = Closed(
  {
    name: Type.String({
      pattern: NAME,
      maxLength: 253,
      description: "Unique among the documents of this kind and namespace.",
      [FORM_KEYWORD]: NAME_FORM,
    }),
    namespace: Type.Optional(
      Type.String({
        pattern: NAMESPACE,
        maxLength: 63,
        description: 'Default "default".',
        [FORM_KEYWORD]: 'a name such as shop, of lower-case letters, digits and "-"',
      }),
    ),
    labels: Type.Optional(MapOf(Type.String(), { description: "For people and tools." })),
    annotations: Type.Optional(MapOf(Type.String(), { description: "For people and tools." })),
    ...SET_BY_SERVER,
  },
  { description: "The document's name and labels." },
);

/**
 * Schema of all documents of a kind; of any kind when it is undefined. parseDocuments checks kind and apiVersion itself.
 */
export function envelopeOf(definition: Pick<KindDefinition, "spec" | "whole"> | undefined): TSchema {
  const common = {
    apiVersion: Type.Optional(Type.String({ [FORM_KEYWORD]: "text such as purser.dev/v1" })),
    kind: Type.String({ [FORM_KEYWORD]: "a kind such as AccessPolicy" }),
    metadata: METADATA_SCHEMA,
  };
  if (definition?.whole === true)
    return Type.Object({ ...(definition.spec as TObject).properties, ...common });
  return Closed({ ...common, spec: definition?.spec ?? Type.Unknown(), status: STATUS });
}

/** The state of a document in Kubernetes, which `kubectl get -o yaml` prints. */
export const STATUS = Type.Optional(Type.Unknown({ description: "Set by Kubernetes, and ignored." }));
