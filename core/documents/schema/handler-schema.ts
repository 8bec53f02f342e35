// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Extension, ExtensionInventory } from "../../hooks/extension.ts";
import { ifThen, type JsonSchema, plainSchema } from "./plain-schema.ts";

/**
 * The schema of a Handler's `spec` with the configurations of the extensions in `inventory`. Without `from`, adapter and
 * plugin are names in the inventory, and `config` is the named extension's.
 */
export function handlerSchema(spec: JsonSchema, { adapters, plugins }: ExtensionInventory): JsonSchema {
  return {
    ...spec,
    if: { required: ["from"] },
    else: {
      properties: { adapter: { enum: [...adapters.keys()] }, plugin: { enum: [...plugins.keys()] } },
      allOf: [
        ...[...adapters.values()].map((each) => configOf("adapter", each)),
        ...[...plugins.values()].map((each) => configOf("plugin", each)),
      ],
    },
  };
}

function configOf(sort: "adapter" | "plugin", { name, description, config }: Extension): JsonSchema {
  const schema = { description, ...plainSchema(config) };
  const { required = [] } = schema as { readonly required?: readonly string[] };
  return ifThen(
    { properties: { [sort]: { const: name } }, required: [sort] },
    { properties: { config: schema }, ...(required.length > 0 ? { required: ["config"] } : {}) },
  );
}
