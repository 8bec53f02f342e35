// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/** Which document: what decisions, replies, metrics and logs name it by. */
export interface DocumentRef {
  readonly kind: string;
  /** Display name: `name`, or `namespace/name` outside the default namespace. */
  readonly name: string;
}

/** `Kind/name`, as replies, reports and logs write a document; `parseDocumentRef` reads it back. */
export function formatDocumentRef({ kind, name }: DocumentRef): string {
  return `${kind}/${name}`;
}

/** Undefined for a text that is not `Kind/name`. */
export function parseDocumentRef(text: string): DocumentRef | undefined {
  const slash = text.indexOf("/");
  if (slash <= 0 || slash === text.length - 1) return undefined;
  return { kind: text.slice(0, slash), name: text.slice(slash + 1) };
}

/** The document of a quota, whose charges and outcomes name it by its display name alone. */
export function quotaPolicyRef(name: string): DocumentRef {
  return { kind: "QuotaPolicy", name };
}
