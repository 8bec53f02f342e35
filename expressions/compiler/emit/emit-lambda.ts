// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { type AstNode, childrenOf, textOf } from "../../syntax/ast.ts";
import { boundIn } from "../node-facts.ts";
import type { Emitter } from "../emitter.ts";
import { type Frame, NotCompiled, type Place, stepsOf } from "../place.ts";

/** What a lambda does with its values. */
export function emitRun(emitter: Emitter, node: AstNode, place: Place): string {
  const parameters = (node.arguments ?? []).map(textOf);
  // Which of them a partial application binds, the reference decides by name.
  if (new Set(parameters).size < parameters.length) throw new NotCompiled("two parameters of one name");
  const scope = place.scope.inner();
  const given = scope.unique("a");
  const body = node.body as AstNode;
  const bound = emitter.declare(boundIn(body), scope);
  const variables = new Map(bound);
  const sets = parameters.map((name, index) => {
    const code = scope.variable("v");
    variables.set(name, { code, bound: true });
    return `${code}=${given}[${index}],`;
  });
  for (const [name, variable] of bound) if (!parameters.includes(name)) sets.push(`${variable.code}=U,`);
  const frame: Frame = { kind: "variables", variables, outer: place.frame };
  const inner: Place = { ...place, frame, scope, claimedBy: undefined, level: 0 };
  const value = emitter.emit(body, inner).text;
  const steps = stepsOf(value);
  return `(${given})=>${scope.body(`(G.enter(${firstChain(body)}${steps === 0 ? "" : `,${1 + steps}`}),${sets.join("")}${value})`)}`;
}

/** How many nodes are entered one in another before the first has a value. */
function firstChain(node: AstNode): number {
  const [first] =
    node.type === "function"
      ? [node.procedure]
      : node.type === "condition"
        ? [node.condition]
        : childrenOf(node);
  return 1 + (first === undefined || node.type === "lambda" ? 0 : firstChain(first));
}
