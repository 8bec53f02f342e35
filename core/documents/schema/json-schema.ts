// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { KINDS, PURSER_API_VERSION } from "../catalog.ts";
import type { TObject } from "typebox";
import { METADATA_SCHEMA, STATUS } from "../envelope.ts";
import { type KindDefinition, writtenKind } from "../kinds/kind.ts";

/** A JSON Schema as plain data, for editors. */
type JsonSchema = Readonly<Record<string, unknown>>;

export const DIALECT = "https://json-schema.org/draft/2020-12/schema";

/** Schema files by name: one for each kind, and `purser.schema.json` for documents of any kind. */
export function jsonSchemas(): ReadonlyMap<string, JsonSchema> {
  const files = new Map<string, JsonSchema>();
  for (const definition of KINDS) {
    files.set(fileName(definition), { $schema: DIALECT, ...documentSchema(definition) });
  }
  files.set("purser.schema.json", {
    $schema: DIALECT,
    title: "A document of Purser",
    oneOf: KINDS.map((definition) => ({ $ref: fileName(definition) })),
  });
  return files;
}

function documentSchema(definition: KindDefinition): JsonSchema {
  const { apiVersions, description, spec, whole } = definition;
  const kind = writtenKind(definition);
  if (whole === true)
    return {
      title: kind,
      description,
      type: "object",
      required: [...new Set(["apiVersion", "kind", "metadata", ...((spec as TObject).required ?? [])])],
      properties: {
        ...(spec as TObject).properties,
        apiVersion: { enum: apiVersions },
        kind: { const: kind },
        metadata: METADATA_SCHEMA,
      },
    };
  return {
    title: kind,
    description,
    type: "object",
    // In a file with several documents, later ones of Purser's own kinds may omit the apiVersion.
    required: [...(apiVersions[0] === PURSER_API_VERSION ? [] : ["apiVersion"]), "kind", "metadata", "spec"],
    properties: {
      apiVersion: { enum: apiVersions },
      kind: { const: kind },
      metadata: METADATA_SCHEMA,
      spec,
      status: STATUS,
    },
    additionalProperties: false,
  };
}

/** `AccessPolicy` is in `access-policy.schema.json`. */
function fileName({ kind }: KindDefinition): string {
  return `${kind.replace(/(?<=.)(?=[A-Z])/g, "-").toLowerCase()}.schema.json`;
}
