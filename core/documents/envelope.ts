// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import Type, { type TSchema } from "typebox";
import { MapOf } from "./kinds/map-of.ts";
import { Closed } from "./kinds/fields.ts";
import { FORM_KEYWORD } from "./schema/form.ts";

/** Kubernetes' object names (RFC 1123 subdomains), plus `_` for metric names. */
const NAME = "^[a-z0-9]([a-z0-9._-]*[a-z0-9])?$";

const NAME_FORM = 'a name such as reviews-per-user, of lower-case letters, digits, "-", "_" and "."';

/** A namespace is a DNS label (RFC 1123). */
const NAMESPACE = "^[a-z0-9]([a-z0-9-]*[a-z0-9])?$";

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
  },
  { description: "The document's name and labels." },
);

/** Schema of all documents of a kind with this `spec`. parseDocuments checks kind and apiVersion itself. */
export function envelopeOf(spec: TSchema) {
  return Closed({
    apiVersion: Type.Optional(Type.String({ [FORM_KEYWORD]: "text such as purser.dev/v1" })),
    kind: Type.String({ [FORM_KEYWORD]: "a kind such as AccessPolicy" }),
    metadata: METADATA_SCHEMA,
    spec,
  });
}
