// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/** An error code's texts for users. */
export interface CatalogEntry {
  /** A sentence that says what happened. */
  readonly summary: string;
  /** A sentence that says what the reader can do. */
  readonly remedy: string;
  /** Whether the same call may succeed later; default false. */
  readonly retryable?: boolean;
}

/** Gives the catalogue a type of the codes alone, so that the package's types do not repeat its texts. */
export function catalog<Code extends string>(
  entries: Readonly<Record<Code, CatalogEntry>>,
): Readonly<Record<Code, CatalogEntry>> {
  return entries;
}
