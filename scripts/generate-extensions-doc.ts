// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

// Writes docs/reference/extensions.md from the inventories; with --check, fails when the committed file differs.
import { BUNDLED_ADAPTERS } from "../adapters/inventory.ts";
import type { AdapterDefinition, PluginDefinition } from "../plugins/sdk/index.ts";
import { BUNDLED_PLUGINS } from "../plugins/inventory.ts";
import { type ConfigSchema, configTable } from "./config-table.ts";
import { writeOrCheck } from "./write-or-check.ts";

function section(definition: AdapterDefinition | PluginDefinition): string {
  const { extension, name, description, templates, config } = definition;
  const readme = `[${extension}s/${name}](../../${extension}s/${name}/README.md)`;
  const facts = [
    templates.length === 0 ? "" : `Templates: ${listOf(templates)}.`,
    extension === "adapter" && definition.ordered === false ? "Sends several batches at a time." : "",
    extension === "plugin" ? attributesOf(definition) : "",
    `Documentation: ${readme}.`,
  ];
  const table = configTable(config as ConfigSchema);
  return `\n### ${name}\n\n${description} ${facts.filter((fact) => fact !== "").join(" ")}\n\n${table === "" ? "It has no configuration.\n" : table}`;
}

function attributesOf({ provides = {} }: PluginDefinition): string {
  const names = Object.keys(provides);
  return names.length === 0 ? "" : `Adds the attributes ${listOf(names)}.`;
}

function listOf(names: readonly string[]): string {
  return names
    .map((name) => (name.includes(".") ? `\`${name}\`` : `[\`${name}\`](templates.md#${name})`))
    .join(", ");
}

const byName = <T extends { readonly name: string }>(definitions: readonly T[]): readonly T[] =>
  definitions.toSorted((a, b) => (a.name < b.name ? -1 : 1));

writeOrCheck(
  "docs/reference/extensions.md",
  `# Bundled extensions

The adapters and plugins that come with Purser, with the fields of a Handler's \`config\`. A field without a default may be left out
unless it is required. The [templates](templates.md) are the instances that an extension takes. [adapters.md](../guides/adapters.md) and
[plugins.md](../guides/plugins.md) describe how to write others.

This page is generated from \`adapters/inventory.ts\` and \`plugins/inventory.ts\` by \`npm run generated\`.

## Adapters
${byName(BUNDLED_ADAPTERS).map(section).join("")}
## Plugins
${byName(BUNDLED_PLUGINS).map(section).join("")}`,
);
