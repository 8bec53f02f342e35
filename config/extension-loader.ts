// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { createRequire } from "node:module";
import { dirname, isAbsolute, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { ModuleExtensions } from "../core/documents/set/handlers.ts";
import type { AdapterDefinition, Extension, PluginDefinition } from "../core/hooks/extension.ts";
import { withDeadline } from "../kernel/deadline.ts";
import { messageOf } from "../kernel/errors.ts";
import type { Scheduler } from "../kernel/ports.ts";

/** Deadline: a module with a top-level await may never finish loading. */
const IMPORT_TIMEOUT_MS = 10_000;

/**
 * Imports the module named by `specifier`, and finds the extensions among its exports.
 *
 * A module is evaluated once per process: an edited module takes effect at the next start.
 *
 * @param documentFile Base of relative specifiers; packages are resolved from here first.
 */
export async function loadExtensions(
  specifier: string,
  documentFile: string,
  scheduler: Scheduler,
): Promise<ModuleExtensions> {
  let exports: Readonly<Record<string, unknown>>;
  try {
    exports = await withDeadline<Readonly<Record<string, unknown>>>(
      scheduler,
      IMPORT_TIMEOUT_MS,
      () => import(locate(specifier, documentFile)),
      () => new Error(`it did not finish loading within ${IMPORT_TIMEOUT_MS} ms`),
    );
  } catch (error) {
    return { ok: false, message: `${specifier} could not be loaded: ${messageOf(error)}` };
  }
  const adapters = new Map<string, AdapterDefinition>();
  const plugins = new Map<string, PluginDefinition>();
  for (const value of Object.values(exports)) {
    if (!isExtension(value)) continue;
    if (value.extension === "adapter") adapters.set(value.name, value);
    else plugins.set(value.name, value);
  }
  return adapters.size + plugins.size === 0
    ? { ok: false, message: `${specifier} exports no adapter and no plugin` }
    : { ok: true, extensions: { adapters, plugins } };
}

function locate(specifier: string, documentFile: string): string {
  if (specifier.startsWith(".") || isAbsolute(specifier))
    return pathToFileURL(resolve(dirname(documentFile), specifier)).href;
  try {
    return pathToFileURL(createRequire(resolve(documentFile)).resolve(specifier)).href;
  } catch {
    // Not installed beside the document, or exported for `import` only: resolve from Purser's own folder.
    return specifier;
  }
}

/** Exports are foreign values: check their shape before using them as extensions. */
function isExtension(value: unknown): value is Extension {
  if (typeof value !== "object" || value === null) return false;
  const { extension, name, templates, config, check, build } = value as Partial<
    Record<keyof Extension, unknown>
  >;
  return (
    (extension === "adapter" || extension === "plugin") &&
    typeof name === "string" &&
    Array.isArray(templates) &&
    typeof config === "object" &&
    config !== null &&
    (check === undefined || typeof check === "function") &&
    typeof build === "function"
  );
}
