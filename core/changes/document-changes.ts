// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { displayName } from "../documents/kinds/kind.ts";
import type { DocumentSummary } from "../snapshot/snapshot.ts";
import { type FieldChange, fieldChanges } from "./field-changes.ts";
import { weakeningOf } from "./weakening.ts";

/** One document that differs between two sets. */
export interface DocumentChange {
  readonly change: "added" | "removed" | "changed";
  /** The document after the change; before it, when it is removed. */
  readonly document: DocumentSummary;
  /** Of a changed document: the fields of its spec that differ, in the order of the fields, then those of its metadata. */
  readonly fields: readonly FieldChange[];
  /** The reason for which requests pass now that the document refused or limited; absent when none is known. */
  readonly weakening?: string;
}

/**
 * The documents that differ between two sets, by kind, namespace and name: changed and added ones in the order of the new
 * set, then those that are gone in the order of the old one. A document that moved to another file or line has not changed.
 */
export function documentChanges(
  before: readonly DocumentSummary[],
  after: readonly DocumentSummary[],
): readonly DocumentChange[] {
  const known = new Map(before.map((document) => [identityOf(document), document]));
  const kept = new Set(after.map(identityOf));
  const changes = after.flatMap((document): readonly DocumentChange[] => {
    const old = known.get(identityOf(document));
    if (old === undefined) return [{ change: "added", document, fields: [] }];
    const fields = [
      ...fieldChanges(old.spec, document.spec),
      ...fieldChanges(old.metadata ?? {}, document.metadata ?? {}, "metadata"),
    ];
    if (fields.length === 0) return [];
    return [{ change: "changed", document, fields, ...because(weakeningOf(old, document)) }];
  });
  const removed = before
    .filter((document) => !kept.has(identityOf(document)))
    .map((document): DocumentChange => {
      return { change: "removed", document, fields: [], ...because(weakeningOf(document, undefined)) };
    });
  return [...changes, ...removed];
}

const SIGN = { added: "+", removed: "-", changed: "~" } as const;

/** A change in a few words: `+ AccessPolicy/shop/login`, with `-` for a document that is gone and `~` for a changed one. */
export function shortChange({ change, document }: DocumentChange): string {
  return `${SIGN[change]} ${document.kind}/${displayName(document)}`;
}

function identityOf({ kind, namespace, name }: DocumentSummary): string {
  return `${kind}/${namespace}/${name}`;
}

function because(weakening: string | undefined): { readonly weakening?: string } {
  return weakening === undefined ? {} : { weakening };
}
