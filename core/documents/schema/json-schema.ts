// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { TObject, TSchema } from "typebox";
import type { ExtensionInventory } from "../../hooks/extension.ts";
import { KINDS, PURSER_API_VERSION } from "../catalog.ts";
import { METADATA_SCHEMA, STATUS } from "../envelope.ts";
import { HANDLER } from "../kinds/handler.ts";
import { groupOf, type KindDefinition, writtenKind } from "../kinds/kind.ts";
import { handlerSchema } from "./handler-schema.ts";
import { ifThen, type JsonSchema, plainSchema } from "./plain-schema.ts";
import { shareParts } from "./share-parts.ts";

export const DIALECT = "https://json-schema.org/draft/2020-12/schema";

/**
 * The JSON Schema of every document, for editors: self-contained, and with the configurations of the extensions in
 * `inventory`. The schema of a kind is chosen by `if` and `then`, so that a fault is reported once and at its place; as one
 * alternative of `oneOf` or `anyOf`, it would be a fault of the whole document.
 */
export function documentsSchema(inventory: ExtensionInventory): JsonSchema {
  const kinds = Object.fromEntries(
    KINDS.map((definition) => [definition.kind, documentSchema(definition, inventory)]),
  );
  const shared = shareParts(kinds);
  return {
    $schema: DIALECT,
    title: "A document of Purser",
    type: "object",
    required: ["kind"],
    allOf: [
      listsOr({
        properties: {
          kind: {
            description: "What the document says.",
            enum: [...new Set(KINDS.map(writtenKind))],
          },
        },
      }),
      ...KINDS.map((definition) => ifThen(conditionOf(definition), { $ref: `#/$defs/${definition.kind}` })),
    ],
    $defs: shared,
  };
}

/** Lists of Kubernetes: `List` has documents, and VirtualServiceList, as an example, items without a kind. */
function listsOr(otherwise: JsonSchema): JsonSchema {
  const list = {
    properties: { items: { anyOf: [{ type: "array" }, { type: "null" }] } },
    ...ifThen(
      { properties: { kind: { const: "List" } } },
      { properties: { items: { items: { $ref: "#" } } } },
    ),
  };
  const isList = { properties: { kind: { type: "string", pattern: "List$" } }, required: ["kind"] };
  return { ...ifThen(isList, list), else: otherwise };
}

/** The documents of a kind: by `kind`, and by the API's group where several groups have a kind of the name. */
function conditionOf(definition: KindDefinition): JsonSchema {
  const kind = writtenKind(definition);
  const namesakes = KINDS.filter((each) => writtenKind(each) === kind);
  const inGroups = (definitions: readonly KindDefinition[]): JsonSchema => {
    const groups = new Set(definitions.flatMap(({ apiVersions }) => apiVersions.map(groupOf)));
    return { pattern: `^(${[...groups].map((group) => group.replaceAll(".", "\\.")).join("|")})/` };
  };
  if (namesakes.length === 1) return { properties: { kind: { const: kind } }, required: ["kind"] };
  // The first of them has the documents without a known group, as in findKind.
  const apiVersion =
    namesakes[0] === definition ? { not: inGroups(namesakes.slice(1)) } : inGroups([definition]);
  return {
    properties: { kind: { const: kind }, apiVersion: { type: "string", ...apiVersion } },
    required: ["kind", ...(namesakes[0] === definition ? [] : ["apiVersion"])],
  };
}

function documentSchema(definition: KindDefinition, inventory: ExtensionInventory): JsonSchema {
  const { apiVersions, description, spec, whole } = definition;
  const kind = writtenKind(definition);
  const envelope = {
    apiVersion: { enum: apiVersions },
    kind: { const: kind },
    metadata: plainSchema(METADATA_SCHEMA),
  };
  if (whole === true) {
    const { required = [], properties = {} } = plainSchema(spec) as Partial<TObject>;
    return {
      title: kind,
      description,
      type: "object",
      required: [...new Set(["apiVersion", "kind", "metadata", ...required])],
      properties: { ...properties, ...envelope },
    };
  }
  return {
    title: kind,
    description,
    type: "object",
    // In a file with several documents, later ones of Purser's own kinds may omit the apiVersion.
    required: [...(apiVersions[0] === PURSER_API_VERSION ? [] : ["apiVersion"]), "kind", "metadata", "spec"],
    properties: { ...envelope, spec: specSchema(definition, inventory), status: plainSchema(STATUS) },
    additionalProperties: false,
  };
}

function specSchema(definition: KindDefinition, inventory: ExtensionInventory): JsonSchema {
  const plain = plainSchema(definition.spec as TSchema);
  return definition.kind === HANDLER.kind ? handlerSchema(plain, inventory) : plain;
}
