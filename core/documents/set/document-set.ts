// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Diagnostic } from "../../../kernel/diagnostic.ts";
import { suggest } from "../../../kernel/suggest.ts";
import { faultAt, type ParsedDocument } from "../document.ts";
import { DEFAULT_NAMESPACE, displayName } from "../kinds/kind.ts";

/** The documents of a whole set, by name. */
export class DocumentSet {
  readonly documents: readonly ParsedDocument[];
  /** False when a part of the set could not be read, which may contain missing documents. */
  readonly complete: boolean;
  /** Diagnostics for documents with the same kind, namespace and name as an earlier one. */
  readonly duplicates: readonly Diagnostic[];
  readonly #byName = new Map<string, ParsedDocument>();

  constructor(documents: readonly ParsedDocument[], complete: boolean) {
    this.documents = documents;
    this.complete = complete;
    const duplicates: Diagnostic[] = [];
    for (const document of documents) {
      const { name, namespace } = document.metadata;
      const { kind } = document.definition;
      const key = keyOf(kind, namespace, name);
      const first = this.#byName.get(key);
      if (first === undefined) {
        this.#byName.set(key, document);
        continue;
      }
      const { file, line, column } = first.location;
      const message = `There is another ${kind} ${displayName(document.metadata)}, at ${file}:${line}:${column}`;
      duplicates.push(faultAt(document, "PURSER_DOC_DUPLICATE", ["metadata", "name"], message));
    }
    this.duplicates = duplicates;
  }

  /** Whether all documents of the kind could be read; otherwise missing ones are not reported. */
  readsAll(kind: string): boolean {
    return (
      this.complete && this.documents.every(({ definition, valid }) => valid || definition.kind !== kind)
    );
  }

  /**
   * Resolves a `reference` in a document of `namespace`: a `name` in that namespace or else in the default
   * one; or `namespace/name`.
   */
  resolve(kind: string, reference: string, namespace: string): ParsedDocument | undefined {
    const slash = reference.indexOf("/");
    if (slash >= 0)
      return this.#byName.get(keyOf(kind, reference.slice(0, slash), reference.slice(slash + 1)));
    return (
      this.#byName.get(keyOf(kind, namespace, reference)) ??
      this.#byName.get(keyOf(kind, DEFAULT_NAMESPACE, reference))
    );
  }

  /** The reference that was probably meant: the same name in another namespace, or else a similar name. */
  suggest(kind: string, reference: string, namespace: string): string | undefined {
    const candidates = this.documents.filter((document) => document.definition.kind === kind);
    const elsewhere = candidates.find(({ metadata }) => metadata.name === reference)?.metadata;
    if (elsewhere !== undefined) return `${elsewhere.namespace}/${elsewhere.name}`;
    const names = candidates.map(({ metadata }) =>
      metadata.namespace === namespace ? metadata.name : displayName(metadata),
    );
    return suggest(reference, names);
  }
}

function keyOf(kind: string, namespace: string, name: string): string {
  return JSON.stringify([kind, namespace, name]);
}
