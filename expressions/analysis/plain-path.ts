// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { DataPath } from "../data.ts";
import type { AstNode } from "../syntax/ast.ts";
import { plainNames } from "../syntax/path-node.ts";

/** The path of an expression that is no more than a path of names; undefined for any other expression. */
export function plainPathOf(ast: AstNode): DataPath | undefined {
  return plainNames(ast);
}
