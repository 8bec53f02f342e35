// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Diagnostic } from "../../../kernel/diagnostic.ts";
import { documentsOf, faultAt, type ParsedDocument } from "../document.ts";
import { SIDECAR, type SidecarSpec } from "../kinds/sidecar.ts";

/** A namespace has one Sidecar for all of its workloads at most; Istio leaves open which of several applies. */
export function faultsOfSidecars(documents: readonly ParsedDocument[]): readonly Diagnostic[] {
  const first = new Map<string, ParsedDocument>();
  return documentsOf(documents, SIDECAR).flatMap((document) => {
    if ((document.spec as SidecarSpec).workloadSelector !== undefined) return [];
    const { name, namespace } = document.metadata;
    const other = first.get(namespace);
    first.set(namespace, other ?? document);
    // A second document with the same name is reported as a duplicate already.
    if (other === undefined || other.metadata.name === name) return [];
    const { file, line, column } = other.location;
    const message = `There is another Sidecar without a workloadSelector in the namespace ${namespace}, at ${file}:${line}:${column}`;
    return [faultAt(document, "PURSER_DOC_DUPLICATE", ["metadata", "name"], message)];
  });
}
