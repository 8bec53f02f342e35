// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { MtlsMode, PeerAuthenticationSpec } from "../../../core/documents/kinds/peer-authentication.ts";
import type { TrafficDocument, TrafficDocuments } from "../../../core/snapshot/snapshot.ts";
import { selects } from "../../../core/traffic/labels.ts";
import type { Workload } from "../workload.ts";

/** The mutual TLS of a workload's inbound port; `disable` is plain text. */
export type PeerTlsMode = "disable" | "permissive" | "strict";

const MODES = { DISABLE: "disable", PERMISSIVE: "permissive", STRICT: "strict" } as const;

type Document = TrafficDocument<PeerAuthenticationSpec>;

/**
 * The PeerAuthentications of a set of documents, by Istio's precedence: the port's mode before the workload's, before the
 * namespace's, before the mesh's; UNSET is the next wider one, and at last PERMISSIVE. Without any document for a
 * workload the mode is `disable`, where Istio's is PERMISSIVE: a mesh without certificates stays as it is.
 */
export class PeerPolicies {
  readonly #mesh: Document | undefined;
  readonly #byNamespace = new Map<string, Document>();
  readonly #selecting: readonly Document[];
  readonly #rootNamespace: string;

  constructor({
    peerAuthentications,
    rootNamespace,
  }: Pick<TrafficDocuments, "peerAuthentications" | "rootNamespace">) {
    this.#rootNamespace = rootNamespace;
    for (const document of peerAuthentications) {
      const { namespace } = document.metadata;
      // The check of the set refuses a second one.
      if (document.spec.selector === undefined && !this.#byNamespace.has(namespace))
        this.#byNamespace.set(namespace, document);
    }
    this.#mesh = this.#byNamespace.get(rootNamespace);
    this.#selecting = peerAuthentications.filter(({ spec }) => spec.selector !== undefined);
  }

  modeOf(workload: Workload, port: number): PeerTlsMode {
    const { namespace } = workload;
    const ofWorkload = this.#ofWorkload(workload);
    const documents = [ofWorkload, this.#byNamespace.get(namespace), this.#mesh].flatMap(
      (each) => each ?? [],
    );
    if (documents.length === 0) return "disable";
    const modes: (MtlsMode | undefined)[] = [
      ofWorkload?.spec.portLevelMtls?.[String(port)]?.mode,
      ...documents.map(({ spec }) => spec.mtls?.mode),
    ];
    const [said = "PERMISSIVE"] = modes.flatMap((mode = "UNSET") => (mode === "UNSET" ? [] : [mode]));
    return MODES[said];
  }

  /** The first in document order: of the workload's own namespace before the root namespace's. */
  #ofWorkload({ namespace, labels }: Workload): Document | undefined {
    const selecting = (from: string) =>
      this.#selecting.find(
        ({ metadata, spec }) =>
          metadata.namespace === from && selects(spec.selector?.matchLabels ?? {}, labels),
      );
    return selecting(namespace) ?? selecting(this.#rootNamespace);
  }
}
