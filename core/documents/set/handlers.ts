// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import Value from "typebox/value";
import type { Extension, ExtensionInventory } from "../../hooks/extension.ts";
import type { Diagnostic } from "../../../kernel/diagnostic.ts";
import { messageOf } from "../../../kernel/errors.ts";
import { suggest } from "../../../kernel/suggest.ts";
import { documentsOf, faultAt, faultOfSchema, type ParsedDocument } from "../document.ts";
import { HANDLER, type HandlerSpec } from "../kinds/handler.ts";
import { schemaFaults } from "../schema/faults.ts";

/** The extensions in the module of a Handler's `from`, or the error of loading it. */
export type ModuleExtensions =
  | { readonly ok: true; readonly extensions: ExtensionInventory }
  | { readonly ok: false; readonly message: string };

/** Returns the preloaded extensions of a Handler document with `from`. */
export type ExtensionsFrom = (document: ParsedDocument) => ModuleExtensions;

/** The extension and configuration of a Handler document. */
export interface ResolvedHandler {
  readonly definition: Extension;
  /** Checked, with defaults. */
  readonly config: unknown;
}

/** Finds each Handler's extension, and checks its `config`. Builds nothing. */
export function resolveHandlers(
  documents: readonly ParsedDocument[],
  inventory: ExtensionInventory,
  extensionsFrom: ExtensionsFrom,
): {
  readonly handlers: ReadonlyMap<ParsedDocument, ResolvedHandler>;
  readonly diagnostics: readonly Diagnostic[];
} {
  const handlers = new Map<ParsedDocument, ResolvedHandler>();
  const diagnostics: Diagnostic[] = [];
  for (const document of documentsOf(documents, HANDLER)) {
    const { from, config = {} } = document.spec as HandlerSpec;
    const found =
      from === undefined ? { ok: true as const, extensions: inventory } : extensionsFrom(document);
    if (!found.ok) {
      diagnostics.push(faultAt(document, "PURSER_EXTENSION_LOAD", ["spec", "from"], found.message));
      continue;
    }
    const definition = findExtension(document, found.extensions);
    if ("severity" in definition) {
      diagnostics.push(definition);
      continue;
    }
    const filled = Value.Default(definition.config, Value.Clone(config));
    const faults = schemaFaults(definition.config, filled, ["spec", "config"]);
    diagnostics.push(...faults.map((fault) => faultOfSchema(document, fault)));
    if (faults.length > 0) continue;
    const wrong = faultsOfConfig(document, definition, filled);
    diagnostics.push(...wrong);
    if (wrong.length === 0) handlers.set(document, { definition, config: filled });
  }
  return { handlers, diagnostics };
}

/** Faults that the extension's own check finds in a configuration that satisfies the schema. */
function faultsOfConfig(
  document: ParsedDocument,
  definition: Extension,
  config: unknown,
): readonly Diagnostic[] {
  try {
    return (definition.check?.(config) ?? []).map(({ path, message, suggestion }) =>
      faultAt(document, "PURSER_DOC_INVALID_VALUE", ["spec", "config", ...path], message, { suggestion }),
    );
  } catch (error) {
    // A defect of the extension: the configuration counts as unchecked.
    const message = `The check of ${definition.name} failed: ${messageOf(error)}`;
    return [faultAt(document, "PURSER_HANDLER_BUILD", ["spec", "config"], message)];
  }
}

function findExtension(document: ParsedDocument, extensions: ExtensionInventory): Extension | Diagnostic {
  const { adapter, plugin, from } = document.spec as HandlerSpec;
  const sort = plugin === undefined ? "adapter" : "plugin";
  const name = (plugin ?? adapter) as string;
  const [wanted, others]: ReadonlyMap<string, Extension>[] =
    sort === "adapter"
      ? [extensions.adapters, extensions.plugins]
      : [extensions.plugins, extensions.adapters];
  const definition = wanted?.get(name);
  if (definition !== undefined) return definition;
  const where = from === undefined ? "" : ` in ${from}`;
  if (others?.has(name) === true) {
    const message = `${name} is not an ${sort} but a ${sort === "adapter" ? "plugin" : "adapter"}${where}: write "${sort === "adapter" ? "plugin" : "adapter"}: ${name}"`;
    return faultAt(document, "PURSER_REF_UNSUITABLE", ["spec", sort], message);
  }
  const suggestion = suggest(name, wanted?.keys() ?? []);
  const message = `There is no ${sort} ${JSON.stringify(name)}${where}`;
  return faultAt(document, "PURSER_REF_UNKNOWN", ["spec", sort], message, { suggestion });
}
