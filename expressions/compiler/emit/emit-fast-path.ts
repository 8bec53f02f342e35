// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { COMPILED_FUNCTIONS } from "../../functions/compiled-functions.ts";
import { FAST_LENGTH, type FastPath, type TypedPath } from "../../functions/fast-path.ts";
import { FUNCTIONS } from "../../functions/functions.ts";
import { type AstNode, hasSuffix, variableName } from "../../syntax/ast.ts";
import { emitRun } from "./emit-lambda.ts";
import { emitPattern, emitPatternTest } from "./emit-pattern.ts";
import { emitPrepared } from "./emit-prepared.ts";
import type { Emitter } from "../emitter.ts";
import { FastCall, orAbsent } from "./fast-call.ts";
import { plainNames } from "../../syntax/path-node.ts";
import { any, type Code, type Place } from "../place.ts";

/** Code in place of a call of a known function, by the first of its fast paths that fits; undefined when none does. */
export function emitFastPath(emitter: Emitter, name: string, node: AstNode, place: Place): Code | undefined {
  const definition = FUNCTIONS.get(name);
  if (definition === undefined) return undefined;
  // A function in place of the language's has its own limits, which arguments that a typed path takes cannot exceed.
  const isReplaced = emitter.options.functions.has(name);
  const call = new FastCall(emitter, name, node, place);
  for (const path of definition.fastPaths ?? []) {
    const code = isReplaced && path.kind !== "typed" ? undefined : emitPath(call, path);
    if (code !== undefined) return code;
  }
  return isReplaced ? undefined : emitPrepared(call);
}

function emitPath(call: FastCall, path: FastPath): Code | undefined {
  const { emitter, place } = call;
  const [a, b] = call.values;
  const count = call.values.length;
  switch (path.kind) {
    case "typed":
      return path.ofItem === true ? undefined : emitTyped(call, path);
    case "pattern":
      return emitPattern(call, path);
    case "pattern test":
      return emitPatternTest(call);
    case "lambda":
      return count === 2 && isPlainLambda(b) ? emitWithLambda(call, a as AstNode, b, path.run) : undefined;
    case "untyped": {
      if (a === undefined || b === undefined || count !== 2) return undefined;
      const values = `${emitter.emit(a, place).text},${emitter.emit(b, place).text}`;
      return any(`${emitter.constant(path.run)}(G,${values})`);
    }
    case "time":
      return count === 0 ? { text: "G.nowMs", kind: "number?" } : undefined;
    default:
      return a !== undefined && count === 1 ? emitOfAny(call, a, path) : undefined;
  }
}

/** Calls with one argument of any type. */
function emitOfAny(
  call: FastCall,
  a: AstNode,
  path: Extract<FastPath, { kind: "existence" | "truth" | "text" | "count" }>,
): Code {
  const { emitter, place } = call;
  switch (path.kind) {
    case "existence": {
      const names = plainNames(a);
      if (names !== undefined && place.isRoot && emitter.options.reads !== undefined)
        return { text: emitter.options.reads.exists(emitter, names), kind: "boolean" };
      return { text: `((${emitter.emit(a, place).text})!==undefined)`, kind: "boolean" };
    }
    case "truth":
      return emitTruth(call, a, path.negated ? "!" : "");
    case "text": {
      const [value, set] = call.hold(a);
      const number = `typeof ${value}==="number"&&${value}-${value}===0?R.numberText(${value})`;
      const known = `typeof ${value}==="string"?${value}:${number}:${call.slowly(value)}`;
      return any(`(${set},${orAbsent(value, known)})`);
    }
    case "count": {
      const [value, set] = call.hold(a);
      return {
        text: `(${set},Array.isArray(${value})?${value}.length:${value}===undefined?0:1)`,
        kind: "number?",
      };
    }
  }
}

/** The item of a call with a number in brackets after it, `$split(text, "/")[1]`: the other items are not made. */
export function emitItemOfCall(
  emitter: Emitter,
  node: AstNode,
  position: number,
  place: Place,
): Code | undefined {
  const name = variableName(node.procedure as AstNode) ?? "";
  const path = FUNCTIONS.get(name)?.fastPaths?.find(isOfItem);
  if (path === undefined || !Number.isInteger(position) || position < 0) return undefined;
  if (emitter.functionOf(name, place) !== COMPILED_FUNCTIONS.get(name)) return undefined;
  return emitTyped(new FastCall(emitter, name, node, place), path, position);
}

function isOfItem(path: FastPath): path is TypedPath {
  return path.kind === "typed" && path.ofItem === true;
}

/** @param position The number of the item that is asked for; default: the whole result. */
function emitTyped(call: FastCall, path: TypedPath, position?: number): Code | undefined {
  if (path.types.length !== call.values.length) return undefined;
  const held = call.values.map((value) => call.hold(value));
  const given = held.map(([value]) => value);
  const sets = held.map(([, set]) => set);
  const fits = path.types.map((type, index) =>
    type === "array" ? `Array.isArray(${given[index]})` : `typeof ${given[index]}==="${type}"`,
  );
  const othersFit = fits.slice(1);
  if (path.isShort === true) fits.push(`${given[0]}.length<=${FAST_LENGTH}`);
  const result = resultOf(call, path, position === undefined ? given : [...given, String(position)]);
  const slowly = call.slowly(...given);
  const otherwise = position === undefined ? slowly : `R.itemAt(${slowly},${position})`;
  let fast = `${fits.join("&&")}?${result}`;
  if (path.isTotal !== true) {
    const variable = call.place.scope.variable();
    fast = `${fits.join("&&")}&&(${variable}=${result})!==undefined?${variable}`;
  }
  const text = `(${sets.join(",")},${orAbsent(given[0] as string, `${fast}:${otherwise}`, othersFit)})`;
  return path.gives === "boolean" ? { text, kind: "boolean?" } : any(text);
}

function resultOf(
  { emitter }: FastCall,
  { run, code, isGuarded }: TypedPath,
  values: readonly string[],
): string {
  if (code !== undefined) return code(values);
  return `${emitter.constant(run)}(${[...(isGuarded === true ? ["G"] : []), ...values].join(",")})`;
}

function emitTruth({ emitter, place }: FastCall, a: AstNode, sign: "!" | ""): Code {
  const code = emitter.emit(a, place);
  if (code.kind === "boolean") return { text: `(${sign}${code.text})`, kind: "boolean" };
  const value = place.scope.variable();
  return {
    text: `((${value}=${code.text})===undefined?undefined:${sign}R.truthy(G,${value}))`,
    kind: "boolean?",
  };
}

function emitWithLambda(call: FastCall, list: AstNode, lambda: AstNode, run: unknown): Code {
  const { emitter, place } = call;
  const items = emitter.emit(list, place).text;
  const body = emitRun(emitter, lambda, place);
  const arity = (lambda.arguments ?? []).length;
  const callee = emitter.constant(call.callee);
  return any(`${emitter.constant(run)}(G,${items},${body},${arity},${callee},${call.site()})`);
}

function isPlainLambda(node: AstNode | undefined): node is AstNode {
  if (node?.type !== "lambda" || hasSuffix(node)) return false;
  return (node as { readonly signature?: unknown }).signature === undefined;
}
