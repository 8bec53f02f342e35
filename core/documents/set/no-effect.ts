// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Diagnostic } from "../../../kernel/diagnostic.ts";
import { documentsOf, faultAt, type ParsedDocument } from "../document.ts";
import { SIDECAR, type SidecarSpec } from "../kinds/sidecar.ts";
import { VIRTUAL_SERVICE } from "../kinds/virtual-service.ts";
import { MESH_GATEWAY, type VirtualServiceSpec } from "../kinds/virtual-service-schema.ts";
import type { DocumentPath } from "../yaml/places.ts";

/** Warns of valid parts of Istio's documents that change nothing in this mesh. */
export function partsWithoutEffect(documents: readonly ParsedDocument[]): readonly Diagnostic[] {
  return [
    ...documentsOf(documents, VIRTUAL_SERVICE).flatMap(connectionRoutesOfSidecars),
    ...documentsOf(documents, SIDECAR).flatMap(captureModes),
  ];
}

/** Makes a warning, which --strict turns into an error. */
export function noEffect(document: ParsedDocument, path: DocumentPath, reason: string): Diagnostic {
  const message = `This has no effect here: ${reason}`;
  return { ...faultAt(document, "PURSER_DOC_NO_EFFECT", path, message), severity: "warning" };
}

/** Makes a warning of a reference that another document may yet resolve; --strict turns it into an error. */
export function unresolved(
  document: ParsedDocument,
  path: DocumentPath,
  message: string,
  suggestion?: string,
): Diagnostic {
  return {
    ...faultAt(document, "PURSER_REF_UNRESOLVED", path, message, { suggestion }),
    severity: "warning",
  };
}

function connectionRoutesOfSidecars(document: ParsedDocument): readonly Diagnostic[] {
  const spec = document.spec as VirtualServiceSpec;
  if ((spec.gateways ?? [MESH_GATEWAY]).some((name) => name !== MESH_GATEWAY)) return [];
  return (["tls", "tcp"] as const)
    .filter((kind) => spec[kind] !== undefined)
    .map((kind) =>
      noEffect(
        document,
        ["spec", kind],
        "a sidecar's outbound listener takes HTTP alone; list a Gateway in gateways",
      ),
    );
}

function captureModes(document: ParsedDocument): readonly Diagnostic[] {
  const { egress = [] } = document.spec as SidecarSpec;
  return egress.flatMap(({ captureMode }, index) =>
    captureMode === undefined
      ? []
      : [
          noEffect(
            document,
            ["spec", "egress", index, "captureMode"],
            "no traffic is captured, and applications name the sidecar as their proxy",
          ),
        ],
  );
}
