// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { DataPath } from "../data.ts";

/** The paths that an expression can read, found without running it. */
export interface StaticReferences {
  readonly paths: readonly StaticReference[];
  /**
   * False when the expression may read more than `paths`: wildcards, $lookup with a computed key, `$` passed
   * to a function.
   */
  readonly exact: boolean;
}

export interface StaticReference {
  readonly path: DataPath;
  /** Offset of the path in the source, in UTF-16 units. */
  readonly offset: number;
}
