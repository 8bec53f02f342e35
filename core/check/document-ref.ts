// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/** A document's identity in decisions, replies, metrics and logs. */
export interface DocumentRef {
  readonly kind: string;
  /** Display name: `name`, or `namespace/name` outside the default namespace. */
  readonly name: string;
}

/** `Kind/name`, as in replies, reports and logs; `parseDocumentRef` is the inverse. */
export function formatDocumentRef({ kind, name }: DocumentRef): string {
  return `${kind}/${name}`;
}

/** undefined for a text that is not `Kind/name`. */
export function parseDocumentRef(text: string): DocumentRef | undefined {
  const slash = text.indexOf("/");
  if (slash <= 0 || slash === text.length - 1) return undefined;
  return { kind: text.slice(0, slash), name: text.slice(slash + 1) };
}

/** The document of a quota, whose charges and outcomes have only its display name. */
export function quotaPolicyRef(name: string): DocumentRef {
  return { kind: "QuotaPolicy", name };
}
