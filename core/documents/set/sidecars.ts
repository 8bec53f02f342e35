// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Diagnostic } from "../../../kernel/diagnostic.ts";
import { documentsOf, faultAt, type ParsedDocument } from "../document.ts";
import { SERVICE } from "../kinds/kubernetes/service.ts";
import { SERVICE_ENTRY } from "../kinds/service-entry.ts";
import { SIDECAR, type SidecarSpec } from "../kinds/sidecar.ts";
import { VIRTUAL_SERVICE } from "../kinds/virtual-service.ts";
import type { DocumentSet } from "./document-set.ts";
import { type EgressListener, EgressListeners } from "./egress-listeners.ts";
import { unresolved } from "./no-effect.ts";

export function faultsOfSidecars(set: DocumentSet, rootNamespace: string): readonly Diagnostic[] {
  const listeners = new EgressListeners(set.documents, rootNamespace);
  return [
    ...repeatedSidecars(set.documents),
    ...listeners.all
      // Listeners of the root namespace serve other services in each namespace.
      .filter(({ client }) => client !== undefined)
      .flatMap((listener) => faultsOfListener(listener, listeners, set)),
  ];
}

/** A namespace has one Sidecar for all of its workloads at most; Istio leaves open which of several applies. */
function repeatedSidecars(documents: readonly ParsedDocument[]): readonly Diagnostic[] {
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

/** A listener serves some service of its port and protocol; one for bytes in plain text serves exactly one. */
function faultsOfListener(
  listener: EgressListener,
  listeners: EgressListeners,
  set: DocumentSet,
): readonly Diagnostic[] {
  const { sidecar, path, port, carried } = listener;
  const imported = listeners.servicesOf(listener);
  const suitable = imported.filter(
    ({ ports, anyPort }) => anyPort || ports.get(port) === (carried !== "http"),
  );
  const [first, second] = suitable.filter(({ anyPort }) => !anyPort);
  if (carried === "tcp" && first !== undefined && second !== undefined) {
    const message = `${first.canonicalHost} and ${second.canonicalHost} have the port ${port}, and a connection in plain text does not say which it is for: import one of them`;
    return [faultAt(sidecar, "PURSER_REF_UNSUITABLE", [...path, "hosts"], message)];
  }
  const isRouted = documentsOf(set.documents, VIRTUAL_SERVICE).some((document) =>
    listeners.routes(listener, document),
  );
  if (suitable.length > 0 || isRouted) return [];
  const [other] = imported;
  if (other !== undefined) {
    const [carries, needed] = other.ports.get(port) === true ? ["bytes", "TCP"] : ["HTTP", "HTTP"];
    const message = `Port ${port} of ${other.canonicalHost} carries ${carries}: write a protocol such as ${needed}`;
    return [faultAt(sidecar, "PURSER_REF_UNSUITABLE", [...path, "port", "protocol"], message)];
  }
  if (!set.readsAll(SERVICE_ENTRY.kind) || !set.readsAll(SERVICE.kind)) return [];
  return [unresolved(sidecar, [...path, "hosts"], `These hosts import no service with the port ${port}`)];
}
