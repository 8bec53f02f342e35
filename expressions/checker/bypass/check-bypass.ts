// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { type AstNode } from "../../syntax/ast.ts";
import type { Purpose } from "../finding.ts";
import type { Inferred } from "../inference/inferred.ts";
import { argumentOf, onlyExpression } from "../presence.ts";
import type { TextTest } from "../inference/text-tests.ts";
import { checkHeaderTest } from "./headers.ts";
import { checkAddressTest, checkHostTest } from "./hosts.ts";
import { checkPathTest } from "./paths.ts";
import type { Role } from "./placed-test.ts";
import { checkPrecedence } from "./precedence.ts";

const ROLES: Readonly<Record<Purpose, Role | undefined>> = {
  deny: "catch",
  match: "catch",
  allow: "admit",
  audit: undefined,
  value: undefined,
  any: undefined,
};

/** Notes tests that a client can bypass: they tell apart requests that upstreams treat alike. */
export function checkBypass(ast: AstNode, inference: Inferred): void {
  const role = ROLES[inference.use.purpose];
  if (role !== undefined) visit(ast, role, undefined, inference);
}

/** @param group the tests of the chain of `or` that contains `node`; undefined outside of one. */
function visit(node: AstNode, role: Role, group: readonly TextTest[] | undefined, inference: Inferred): void {
  const inner = onlyExpression(node) ?? argumentOf(node, "existence") ?? argumentOf(node, "truth");
  if (inner !== undefined) return visit(inner, role, group, inference);
  const denied = argumentOf(node, "negation");
  if (denied !== undefined) return visit(denied, opposite(role), undefined, inference);
  if (node.type === "block") {
    const last = node.expressions?.at(-1);
    return last && visit(last, role, undefined, inference);
  }
  if (node.type === "condition") {
    for (const branch of [node.then, node.else])
      if (branch !== undefined) visit(branch, role, undefined, inference);
    return;
  }
  if (node.type === "binary" && (node.value === "and" || node.value === "or")) {
    const isTop = node.value === "or" && group === undefined;
    if (isTop && role === "admit") checkPrecedence(node, inference);
    const joined = node.value === "and" ? undefined : (group ?? testsJoinedBy(node, inference));
    for (const side of [node.lhs as AstNode, node.rhs as AstNode]) visit(side, role, joined, inference);
    return;
  }
  const test = testAt(node, inference);
  if (test === undefined || inference.findings.isWrong(node)) return;
  const placed = { test, role: test.written === "!=" ? opposite(role) : role, group: group ?? [test] };
  checkPathTest(placed, inference);
  checkHostTest(placed, inference);
  checkAddressTest(placed, inference);
  checkHeaderTest(placed, inference);
}

function opposite(role: Role): Role {
  return role === "catch" ? "admit" : "catch";
}

/** The test that a condition makes: a comparison, a call, or a call after a `.` or a `~>`. */
function testAt(node: AstNode, { tests }: Inferred): TextTest | undefined {
  const call = node.type === "path" ? node.steps?.at(-1) : node.type === "apply" ? node.rhs : undefined;
  return tests.get(node) ?? (call && tests.get(call));
}

/** The tests of a chain of `or`. */
function testsJoinedBy(node: AstNode, inference: Inferred): readonly TextTest[] {
  const inner = onlyExpression(node);
  if (inner !== undefined) return testsJoinedBy(inner, inference);
  if (node.type === "binary" && node.value === "or")
    return [node.lhs as AstNode, node.rhs as AstNode].flatMap((side) => testsJoinedBy(side, inference));
  const test = testAt(node, inference);
  return test === undefined || test.written === "!=" ? [] : [test];
}
