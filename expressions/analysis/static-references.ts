// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { DataPath } from "../data.ts";

/** What an expression can read, found without running it. */
export interface StaticReferences {
  readonly paths: readonly StaticReference[];
  /** False when it may read more than `paths`: wildcards, $lookup with a computed key, `$` handed to a function. */
  readonly exact: boolean;
}

export interface StaticReference {
  readonly path: DataPath;
  /** Where the path begins in the source: an offset in UTF-16 units. */
  readonly offset: number;
}
