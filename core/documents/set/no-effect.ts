// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { PathNormalization } from "../../../kernel/canonical/path.ts";
import type { Diagnostic } from "../../../kernel/diagnostic.ts";
import { documentsOf, faultAt, type ParsedDocument } from "../document.ts";
import { carriedBy } from "../kinds/port-protocols.ts";
import { egressPortOf, SIDECAR, type SidecarSpec } from "../kinds/sidecar.ts";
import { VIRTUAL_SERVICE } from "../kinds/virtual-service.ts";
import { MESH_GATEWAY, type VirtualServiceSpec } from "../kinds/virtual-service-schema.ts";
import type { DocumentPath } from "../yaml/places.ts";
import { EgressListeners } from "./egress-listeners.ts";
import { whyUnmatched } from "./unmatched-paths.ts";

/** Warns of valid parts of Istio's documents that change nothing in this mesh. */
export function partsWithoutEffect(
  documents: readonly ParsedDocument[],
  rootNamespace: string,
  normalization: PathNormalization,
): readonly Diagnostic[] {
  const listeners = new EgressListeners(documents, rootNamespace);
  return [
    ...documentsOf(documents, VIRTUAL_SERVICE).flatMap((document) => [
      ...connectionRoutesOfSidecars(document, listeners),
      ...unmatchedPaths(document, normalization),
    ]),
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

function unmatchedPaths(document: ParsedDocument, normalization: PathNormalization): readonly Diagnostic[] {
  const { http = [] } = document.spec as VirtualServiceSpec;
  return http.flatMap(({ match = [] }, index) =>
    match.flatMap((one, matchIndex) => {
      const reason = whyUnmatched(one, normalization);
      if (reason === undefined) return [];
      return [noEffect(document, ["spec", "http", index, "match", matchIndex, "uri"], reason)];
    }),
  );
}

function connectionRoutesOfSidecars(
  document: ParsedDocument,
  listeners: EgressListeners,
): readonly Diagnostic[] {
  const spec = document.spec as VirtualServiceSpec;
  if ((spec.gateways ?? [MESH_GATEWAY]).some((name) => name !== MESH_GATEWAY)) return [];
  return (["tls", "tcp"] as const)
    .filter((kind) => spec[kind] !== undefined)
    .filter((kind) =>
      listeners.all.every((listener) => listener.carried !== kind || !listeners.routes(listener, document)),
    )
    .map((kind) =>
      noEffect(
        document,
        ["spec", kind],
        `no Sidecar opens a listener of ${kind.toUpperCase()} for them in egress; list a Gateway in gateways, or open one`,
      ),
    );
}

function captureModes(document: ParsedDocument): readonly Diagnostic[] {
  const { egress = [] } = document.spec as SidecarSpec;
  return egress.flatMap((item, index) => {
    const { port, captureMode } = item;
    if (egressPortOf(item) !== undefined) return [];
    const path: DocumentPath = ["spec", "egress", index];
    if (port !== undefined && carriedBy(port.protocol) !== "http") {
      const reason = `no traffic is captured; write the captureMode NONE for a listener on port ${port.number}`;
      return [noEffect(document, [...path, "port"], reason)];
    }
    const reason = "no traffic is captured, and applications name the sidecar as their proxy";
    return captureMode === undefined ? [] : [noEffect(document, [...path, "captureMode"], reason)];
  });
}
