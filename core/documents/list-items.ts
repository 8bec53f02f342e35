// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Diagnostic } from "../../kernel/diagnostic.ts";
import { findKind } from "./catalog.ts";
import { faultAt } from "./document.ts";
import type { YamlDocument } from "./yaml/read-yaml.ts";

const LIST = "List";

/**
 * The documents in a list of Kubernetes, each with the locations of its own parts: `kind: List`, which `kubectl get -o yaml`
 * prints for several objects, and lists of one kind, such as VirtualServiceList. Lists may hold lists. Any other document
 * is returned as it is.
 */
export function itemsOf(source: YamlDocument): {
  readonly documents: readonly YamlDocument[];
  readonly diagnostics: readonly Diagnostic[];
} {
  const { value, places } = source;
  const fields = (isMap(value) ? value : {}) as Readonly<Record<string, unknown>>;
  const { kind, apiVersion, items } = fields;
  if (typeof kind !== "string" || !kind.endsWith(LIST) || findKind(kind) !== undefined)
    return { documents: [source], diagnostics: [] };
  const base = kind.slice(0, -LIST.length);
  if (!Array.isArray(items)) {
    // A kind whose name ends in List, such as IPAddressList of another program, is a document of its own.
    if (base !== "" && !("items" in fields)) return { documents: [source], diagnostics: [] };
    if (items === null) return { documents: [], diagnostics: [] };
    const message = `A ${kind} needs items: a list of documents`;
    return { documents: [], diagnostics: [faultAt(source, "PURSER_DOC_ENVELOPE", ["items"], message)] };
  }
  // The API server leaves kind and apiVersion out of the items of a list of one kind.
  const common = base === "" ? {} : { apiVersion, kind: base };
  const expanded = items.map((item: unknown, index) =>
    itemsOf({
      value: isMap(item) ? { ...common, ...item } : item,
      places: places.below(["items", index]),
    }),
  );
  return {
    documents: expanded.flatMap(({ documents }) => documents),
    diagnostics: expanded.flatMap(({ diagnostics }) => diagnostics),
  };
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
