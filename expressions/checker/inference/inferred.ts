// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { AstNode } from "../../syntax/ast.ts";
import type { ExpressionUse } from "../finding.ts";
import type { Findings } from "../findings.ts";
import type { Shape } from "./kinds.ts";
import type { TextTest } from "./text-tests.ts";

/**
 * The results of the type inference so far, for the checks of single nodes, which only the inference calls.
 */
export interface Inferred {
  readonly findings: Findings;
  readonly use: ExpressionUse;
  /** The constants that each `and` and `or` compares values with, by the text of the compared value. */
  readonly joined: Map<AstNode, Map<string, unknown>>;
  /** The parts that ask whether a value equals, contains or matches something. */
  readonly tests: Map<AstNode, TextTest>;
  /** The inferred shape of a node; ANYTHING for a node that has not been inferred. */
  shapeOf(node: AstNode): Shape;
}
