// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { AstNode } from "../syntax/ast.ts";
import type { StaticReferences } from "./static-references.ts";

/** A source that compiles, with its syntax tree, for what looks at an expression without running it. */
export interface ParsedSource {
  readonly source: string;
  readonly references: StaticReferences;
  /** The tree as the parser made it; absent where an interpreter has changed its own. */
  readonly ast?: AstNode;
}
