// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Diagnostic } from "../../../kernel/diagnostic.ts";
import { faultAt, type ParsedDocument } from "../document.ts";
import { MESH_CONFIG } from "../kinds/mesh-config.ts";

/** Reports a second MeshConfig: otherwise the order of files would decide which one applies. */
export function faultsOfMeshConfig(documents: readonly ParsedDocument[]): readonly Diagnostic[] {
  const [first, ...others] = documents.filter(({ definition }) => definition.kind === MESH_CONFIG.kind);
  if (first === undefined) return [];
  const { file, line, column } = first.location;
  return others
    .filter(({ metadata: { name, namespace } }) => {
      // A second document with the same name is reported as a duplicate already.
      return name !== first.metadata.name || namespace !== first.metadata.namespace;
    })
    .map((document) =>
      faultAt(
        document,
        "PURSER_DOC_DUPLICATE",
        ["kind"],
        `There is another MeshConfig, at ${file}:${line}:${column}, and a set has one at most`,
      ),
    );
}
