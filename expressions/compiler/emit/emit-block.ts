// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { type AstNode, textOf } from "../../syntax/ast.ts";
import { boundIn } from "../node-facts.ts";
import type { Emitter } from "../emitter.ts";
import { any, type Code, type Frame, NotCompiled, type Place, resetOf, type Variable } from "../place.ts";

export function emitChoice(emitter: Emitter, node: AstNode, place: Place): Code {
  const condition = emitter.emitCondition(node.condition as AstNode, place);
  const branches = [node.then, node.else].map((branch) =>
    branch === undefined ? any("undefined") : emitter.emit(branch, place),
  );
  const [yes, no] = branches as [Code, Code];
  return { text: `(${condition}?${yes.text}:${no.text})`, kind: yes.kind === no.kind ? yes.kind : "any" };
}

export function emitBlock(emitter: Emitter, node: AstNode, place: Place): Code {
  const expressions = node.expressions ?? [];
  if (expressions.length === 0) return any("undefined");
  const names = new Set(expressions.flatMap((expression) => [...boundIn(expression)]));
  const variables = emitter.declare(names, place.scope);
  const inner: Place =
    names.size === 0 ? place : { ...place, frame: { kind: "variables", variables, outer: place.frame } };
  let kind: Code["kind"] = "any";
  const parts = expressions.map((expression) => {
    const code = emitter.emit(expression, inner);
    ({ kind } = code);
    for (let bind = expression; bind.type === "bind"; bind = bind.rhs as AstNode) {
      const variable = variables.get(textOf(bind.lhs as AstNode));
      if (variable !== undefined) variable.bound = true;
    }
    return code.text;
  });
  return { text: `(${resetOf(variables)}${parts.join(",")})`, kind };
}

export function emitBind(emitter: Emitter, node: AstNode, place: Place): Code {
  const name = textOf(node.lhs as AstNode);
  const value = emitter.emit(node.rhs as AstNode, place).text;
  let { frame }: { frame: Frame | undefined } = place;
  while (frame !== undefined && (frame.kind !== "variables" || !frame.variables.has(name)))
    frame = frame.outer;
  if (frame?.kind !== "variables") throw new NotCompiled("a binding without a block");
  return any(`(${(frame.variables.get(name) as Variable).code}=${value})`);
}
