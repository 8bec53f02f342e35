// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import Type from "typebox";
import type { SpecFault } from "../../../kernel/diagnostic.ts";
import { FORM_KEYWORD } from "../schema/form.ts";
import { LABEL } from "./traffic-fields.ts";

/** The values of `exportTo` that are not the name of a namespace. */
const OWN = ".";
const ALL = "*";
const NONE = "~";

/** Istio's field `exportTo`: the namespaces whose proxies see a document. */
export function ExportTo() {
  return Type.Optional(
    Type.Array(
      Type.String({
        pattern: `^([.*~]|${LABEL})$`,
        maxLength: 63,
        description: "`.` (the document's own namespace), `*` (all), `~` (none), or a namespace.",
        [FORM_KEYWORD]: 'a namespace, "." (the document\'s own), "*" (all) or "~" (none)',
      }),
      { minItems: 1, description: "The namespaces whose proxies see this document; default `*`." },
    ),
  );
}

/** Istio refuses the same lists: repeated entries, and `*` or `~` beside another entry. */
export function faultsOfExportTo(exportTo: readonly string[] = []): readonly SpecFault[] {
  return exportTo.flatMap((entry, index): readonly SpecFault[] => {
    const path = ["exportTo", index];
    if (exportTo.indexOf(entry) < index)
      return [{ path, message: `${JSON.stringify(entry)} is listed twice` }];
    if (exportTo.length === 1 || (entry !== ALL && entry !== NONE)) return [];
    const meaning = entry === ALL ? "all namespaces" : "no namespace";
    return [{ path, message: `"${entry}" is ${meaning}, and must be the only entry` }];
  });
}

/**
 * Whether a proxy sees a document.
 *
 * @param documentNamespace Namespace of the document with `exportTo`.
 * @param clientNamespace Namespace of the proxy.
 */
export function isExportedTo(
  exportTo: readonly string[] = [ALL],
  documentNamespace: string,
  clientNamespace: string,
): boolean {
  return exportTo.some(
    (entry) => entry === ALL || (entry === OWN ? documentNamespace : entry) === clientNamespace,
  );
}

/** Istio's annotation of a Service, in place of the field: entries separated by commas. */
const ANNOTATION = "networking.istio.io/exportTo";

/** The entries of a Service's annotation; undefined without any. */
export function annotatedExportTo(
  annotations: Readonly<Record<string, string>>,
): readonly string[] | undefined {
  const entries = (annotations[ANNOTATION] ?? "")
    .split(",")
    .map((entry) => entry.trim())
    .filter((entry) => entry !== "");
  return entries.length === 0 ? undefined : entries;
}

/** The namespaces that a document names for its proxies; `*` for all of them, and none for `~`. */
export function clientNamespaces(
  exportTo: readonly string[] = [ALL],
  documentNamespace: string,
): readonly string[] {
  return exportTo
    .filter((entry) => entry !== NONE)
    .map((entry) => (entry === OWN ? documentNamespace : entry));
}

/** Whether a document is for all namespaces: another one, which names the proxy's, comes before it. */
export function isForAll(exportTo: readonly string[] = [ALL]): boolean {
  return exportTo.includes(ALL);
}
