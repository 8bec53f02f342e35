// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { restoreFastStrings } from "../../kernel/fast-strings.ts";
import type { AdapterDefinition, Extension, ExtensionInventory, PluginDefinition } from "./extension.ts";

/**
 * The extensions that documents may name.
 *
 * @throws TypeError when two adapters or two plugins have the same name, which would make a document's
 *   reference ambiguous.
 */
export function createInventory(extensions: Iterable<Extension>): ExtensionInventory {
  const adapters = new Map<string, AdapterDefinition>();
  const plugins = new Map<string, PluginDefinition>();
  for (const extension of extensions) {
    const taken = extension.extension === "adapter" ? adapters : plugins;
    if (taken.has(extension.name)) {
      throw new TypeError(`there are two ${extension.extension}s named "${extension.name}"`);
    }
    if (extension.extension === "adapter") adapters.set(extension.name, extension);
    else plugins.set(extension.name, extension);
  }
  // Extensions' libraries are loaded by now; one of them, ioredis, declares a subclass of String.
  restoreFastStrings();
  return { adapters, plugins };
}
