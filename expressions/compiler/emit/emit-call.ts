// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { type AstNode, hasSuffix, textOf, variableName } from "../../syntax/ast.ts";
import type { Emitter } from "../emitter.ts";
import { emitFastPath } from "./emit-fast-path.ts";
import { emitRun } from "./emit-lambda.ts";
import { siteOf, type TailNode, takesContext } from "../call-site.ts";
import { any, type Code, NotCompiled, type Place } from "../place.ts";

/** `first`: the value that `~>` hands over, as code. */
export function emitCall(emitter: Emitter, node: AstNode, place: Place, first: string | undefined): Code {
  const procedure = node.procedure as AstNode;
  const name = variableName(procedure);
  const known = name === undefined || name === "" ? undefined : emitter.functionOf(name, place);
  if (known !== undefined && first === undefined) {
    const fast = emitFastPath(emitter, name as string, node, place);
    if (fast !== undefined) return fast;
  }
  const target = known === undefined ? emitter.emit(procedure, place).text : emitter.constant(known);
  const values = [
    ...(first === undefined ? [] : [first]),
    ...(node.arguments ?? []).map((value) => emitter.emit(value, place).text),
  ];
  const site = emitter.constant(siteOf(node, place));
  const context =
    known === undefined || takesContext(known, values.length) ? emitter.contextOf(place) : "undefined";
  if (known !== undefined) return any(`R.callNamed(G,${target},[${values.join(",")}],${context},${site})`);
  const result = place.scope.variable();
  const proven = procedure.type === "path" ? missingDollar(emitter, procedure, node, place) : "undefined";
  // The call is as deep as it stands, for as long as it lasts.
  return any(
    `(G.depth+=${place.level},${result}=R.callValue(G,${target},[${values.join(",")}],${context},${site},${proven}),G.depth-=${place.level},${result})`,
  );
}

/** `sum(x)` for `$sum(x)`: the name that it should have had, when there is such a function. */
function missingDollar(emitter: Emitter, procedure: AstNode, node: AstNode, place: Place): string {
  const name = textOf(procedure.steps?.[0] ?? {});
  const code = node.type === "partial" ? "T1007" : "T1005";
  if (name === "" || procedure.steps?.[0]?.type !== "name") return "undefined";
  const exists = name === "eval" ? "true" : emitter.resolve(name, place);
  return `()=>${exists}?{code:"${code}",position:${place.claimedBy?.position ?? node.position ?? 0},token:${JSON.stringify(place.claimedBy?.token ?? name)}}:undefined`;
}

export function emitLambda(emitter: Emitter, node: AstNode, place: Place): Code {
  if ((node as { readonly thunk?: boolean }).thunk === true)
    return any(emitTailCall(emitter, node.body as AstNode, place));
  const signature = (node as { readonly signature?: { readonly definition: string } }).signature?.definition;
  const run = emitRun(emitter, node, place);
  return any(
    `R.createLambda(G,${(node.arguments ?? []).length},${signature === undefined ? "undefined" : JSON.stringify(signature)},${run})`,
  );
}

/** In tail position, a call's errors are where what it calls is. */
function positionOf({ position }: { readonly position?: number }): { readonly position?: number } {
  return position === undefined ? {} : { position };
}

/** What is written after a call in tail position is lost in the reference: a group, a `[]`. */
function emitTailCall(emitter: Emitter, whole: AstNode, place: Place): string {
  const { group: _group, keepArray: _keepArray, ...node } = whole;
  const procedure = node.procedure as AstNode;
  const name = variableName(procedure);
  const known = name === undefined || name === "" ? undefined : emitter.functionOf(name, place);
  // A named function calls nothing in turn that could grow the stack without end; but its context is its caller's.
  const isCalledHere = known !== undefined && !takesContext(known, node.arguments?.length ?? 0);
  if (node.predicate !== undefined) return emitter.emit(node, place).text;
  // What it gives is settled where the function was called, if that is in an expression.
  if (isCalledHere) {
    const tail: TailNode = { ...node, ...positionOf(procedure), inTail: true };
    return emitCall(emitter, tail, place, undefined).text;
  }
  const values = (node.arguments ?? []).map((value) => emitter.emit(value, place).text);
  const target = emitter.emit(procedure, place).text;
  const token = procedure.type === "variable" ? textOf(procedure) : undefined;
  return `new R.TailCall(()=>${target},()=>[${values.join(",")}],${procedure.position ?? 0},${JSON.stringify(token)})`;
}

export function emitPartial(emitter: Emitter, node: AstNode, place: Place): Code {
  const procedure = node.procedure as AstNode;
  const values = (node.arguments ?? []).map((value) =>
    value.type === "operator" && value.value === "?" ? "R.HOLE" : emitter.emit(value, place).text,
  );
  const target = emitter.emit(procedure, place).text;
  const proven = procedure.type === "path" ? missingDollar(emitter, procedure, node, place) : "undefined";
  return any(
    `R.partial(G,${target},[${values.join(",")}],${emitter.constant(siteOf(node, place))},${proven})`,
  );
}

export function emitApply(emitter: Emitter, node: AstNode, place: Place): Code {
  const left = emitter.emit(node.lhs as AstNode, place).text;
  const right = node.rhs as AstNode;
  if (right.type === "function" && !hasSuffix(right)) {
    const value = place.scope.variable();
    const call = emitCall(emitter, right, { ...place, level: place.level + 1 }, value);
    return any(`(${value}=${left},${call.text})`);
  }
  if (right.type === "function") throw new NotCompiled("a call after ~> with a predicate");
  const position = place.claimedBy?.position ?? node.position ?? 0;
  return any(`R.pipe(G,${left},${emitter.emit(right, place).text},${position})`);
}

export function emitTransform(emitter: Emitter, node: AstNode, place: Place): Code {
  if (emitter.isBoundWithin("clone", place.frame) || emitter.options.bound.has("clone"))
    throw new NotCompiled("$clone is bound");
  const pattern = emitter.step(node.pattern as AstNode, place);
  const update = emitter.step(node.update as AstNode, place);
  const remove = node.delete === undefined ? "undefined" : emitter.step(node.delete, place);
  const positions = [node.update as AstNode, node.delete ?? {}]
    .map((part) => emitter.constant(positionOf(part)))
    .join(",");
  return any(`R.transform(G,[input,E],${pattern},${update},${remove},${positions})`);
}
