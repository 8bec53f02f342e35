// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { AstNode } from "../syntax/ast.ts";
import type { StaticReferences } from "./static-references.ts";

/** A source that compiles, with its syntax tree, for analyses that do not evaluate it. */
export interface ParsedSource {
  readonly source: string;
  readonly references: StaticReferences;
  /** The parser's own tree; absent when an interpreter has changed its tree. */
  readonly ast?: AstNode;
}
