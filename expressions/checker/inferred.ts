// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { AstNode } from "../syntax/ast.ts";
import type { ExpressionUse } from "./finding.ts";
import type { Findings } from "./findings.ts";
import type { Shape } from "./kinds.ts";
import type { TextTest } from "./text-tests.ts";

/** The results of the type inference so far, for the checks of single nodes: the inference is their one caller. */
export interface Inferred {
  readonly findings: Findings;
  readonly use: ExpressionUse;
  /** The constants that each `and` and `or` compares with, by the text of what is compared. */
  readonly joined: Map<AstNode, Map<string, unknown>>;
  /** The parts that ask whether a value equals, contains or matches something. */
  readonly tests: Map<AstNode, TextTest>;
  /** The shape of a node that has been inferred; anything for any other node. */
  shapeOf(node: AstNode): Shape;
}
