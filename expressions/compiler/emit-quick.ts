// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { COMPILED_FUNCTIONS } from "../functions/table.ts";
import { QUICK } from "../functions/quick-text.ts";
import { type AstNode, hasSuffix, variableName } from "../syntax/ast.ts";
import { siteOf } from "./call-site.ts";
import { emitContains, emitPattern } from "./emit-pattern.ts";
import { orAbsent, QuickCall } from "./quick-call.ts";
import { emitRun } from "./emit-lambda.ts";
import { constantsOf } from "../syntax/constants.ts";
import { plainNames } from "../syntax/path-node.ts";
import type { Emitter } from "./emitter.ts";
import { any, type Code, type Place } from "./place.ts";

/**
 * Calls that need not be calls when their values are what they should be, which most are; undefined for those that
 * are not known here.
 */
export function emitQuickly(emitter: Emitter, name: string, node: AstNode, place: Place): Code | undefined {
  // What the host has bounded in its own way, it is called for; but for what stays within its limits in any case.
  if (emitter.options.functions.has(name) && SIMPLE[name] === undefined) return undefined;
  const call = new QuickCall(emitter, name, node, place);
  const [a, b] = call.values;
  if (a === undefined) return name === "millis" ? { text: "G.nowMs", kind: "number?" } : undefined;
  if (call.values.length === 1) return emitOfOne(call, a);
  if (call.values.length === 2 && (name === "map" || name === "filter") && isPlainLambda(b)) {
    const operation = name === "map" ? "R.mapDirectly" : "R.filterDirectly";
    const items = emitter.emit(a, place).text;
    const called = emitter.constant(emitter.functionOf(name, place));
    const site = emitter.constant(siteOf(node, place));
    return any(
      `${operation}(G,${items},${emitRun(emitter, b, place)},${(b.arguments ?? []).length},${called},${site})`,
    );
  }
  if (name === "append" && call.values.length === 2)
    return any(`R.append(G,${emitter.emit(a, place).text},${emitter.emit(b as AstNode, place).text})`);
  const pattern = emitPattern(call, a);
  if (pattern !== undefined) return pattern;
  const simple = emitSimple(call);
  if (simple !== undefined) return simple;
  const prepared = emitPrepared(call, a);
  if (prepared !== undefined) return prepared;
  if (name === "contains" && call.values.length === 2) return emitContains(call, a, b as AstNode);
  return name === "substring" && call.values.length <= 3 ? emitSubstring(call) : undefined;
}

function emitOfOne(call: QuickCall, a: AstNode): Code | undefined {
  const { emitter, name, place } = call;
  switch (name) {
    case "exists": {
      const names = plainNames(a);
      if (names !== undefined && place.isRoot && emitter.options.reads !== undefined)
        return { text: emitter.options.reads.exists(emitter, names), kind: "boolean" };
      return { text: `((${emitter.emit(a, place).text})!==undefined)`, kind: "boolean" };
    }
    case "not":
    case "boolean":
      return emitTruth(call, a, name === "not" ? "!" : "");
    case "string": {
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
    default: {
      const quick = OF_ONE[name];
      if (quick === undefined) return emitSimple(call);
      const [value, set] = call.hold(a);
      const isShort = quick.type === "string" ? `&&${value}.length<=${QUICK}` : "";
      const known = `typeof ${value}==="${quick.type}"${isShort}?${quick.write(value)}:${call.slowly(value)}`;
      return any(`(${set},${orAbsent(value, known)})`);
    }
  }
}

/** Functions of one value of one type. */
const OF_ONE: Readonly<
  Record<string, { readonly type: "string" | "number"; readonly write: (value: string) => string }>
> = {
  lowercase: { type: "string", write: (value) => `${value}.toLowerCase()` },
  uppercase: { type: "string", write: (value) => `${value}.toUpperCase()` },
  length: { type: "string", write: (value) => `R.lengthOf(${value})` },
  trim: { type: "string", write: (value) => `R.trimOf(${value})` },
  floor: { type: "number", write: (value) => `Math.floor(${value})` },
  ceil: { type: "number", write: (value) => `Math.ceil(${value})` },
  abs: { type: "number", write: (value) => `Math.abs(${value})` },
};

interface Quick {
  /** Whether undefined is a result too, and not a wish to be called slowly. */
  readonly isTotal?: boolean;
  readonly types: readonly ("string" | "number" | "array")[];
  readonly write: (values: readonly string[]) => string;
}

/** Functions of values of known types, that give undefined for what they leave to the call. */
const SIMPLE: Readonly<Record<string, Quick>> = {
  number: { types: ["string"], write: ([text]) => `R.numberOf(${text})` },
  toMillis: { types: ["string"], write: ([text]) => `R.isoMillis(${text})` },
  fromMillis: { types: ["number"], write: ([millis]) => `R.isoText(${millis})` },
  distinct: { types: ["array"], write: ([items]) => `R.distinctOf(${items})` },
  sum: { types: ["array"], write: ([items]) => `R.sumOf(${items})` },
  substringBefore: { types: ["string", "string"], write: ([text, part]) => `R.beforeOf(${text},${part})` },
  substringAfter: { types: ["string", "string"], write: ([text, part]) => `R.afterOf(${text},${part})` },
  split: { types: ["string", "string"], write: ([text, by]) => `R.partsOf(G,${text},${by})` },
  join: { types: ["array", "string"], write: ([items, by]) => `R.joinedOf(G,${items},${by})` },
  replace: {
    types: ["string", "string", "string"],
    write: ([text, part, by]) => `R.replacedOf(G,${text},${part},${by})`,
  },
};

/** `$split(text, separator)[position]`, as for a segment of a path: the other parts are not made. */
export function emitPartAt(
  emitter: Emitter,
  node: AstNode,
  position: number,
  place: Place,
): Code | undefined {
  const procedure = node.procedure as AstNode;
  const isSplit = variableName(procedure) === "split" && Number.isInteger(position);
  if (!isSplit || position < 0 || emitter.functionOf("split", place) !== COMPILED_FUNCTIONS.get("split"))
    return undefined;
  const quick: Quick = {
    isTotal: true,
    types: ["string", "string"],
    write: ([text, by]) => `R.partAt(G,${text},${by},${position})`,
  };
  return emitSimple(
    new QuickCall(emitter, "split", node, place),
    quick,
    (slow) => `R.itemAt(${slow},${position})`,
  );
}

function emitSimple(
  call: QuickCall,
  quick = SIMPLE[call.name],
  ofSlow = (slow: string): string => slow,
): Code | undefined {
  if (quick === undefined || quick.types.length !== call.values.length) return undefined;
  const held = call.values.map((value) => call.hold(value));
  const given = held.map(([value]) => value);
  const fits = quick.types.map((type, index) =>
    type === "array" ? `Array.isArray(${given[index]})` : `typeof ${given[index]}==="${type}"`,
  );
  const sets = held.map(([, set]) => set);
  let quickly = `${fits.join("&&")}?${quick.write(given)}`;
  if (quick.isTotal !== true) {
    const result = call.place.scope.variable();
    quickly = `${fits.join("&&")}&&(${result}=${quick.write(given)})!==undefined?${result}`;
  }
  const known = `${quickly}:${ofSlow(call.slowly(...given))}`;
  return any(`(${sets.join(",")},${orAbsent(given[0] as string, known, given.slice(1))})`);
}

function emitTruth({ emitter, place }: QuickCall, a: AstNode, sign: "!" | ""): Code {
  const code = emitter.emit(a, place);
  if (code.kind === "boolean") return { text: `(${sign}${code.text})`, kind: "boolean" };
  const value = place.scope.variable();
  return {
    text: `((${value}=${code.text})===undefined?undefined:${sign}R.truthy(G,${value}))`,
    kind: "boolean?",
  };
}

/** Longest text for which a function that is prepared takes no longer than a few steps. */
const QUICK_PREPARED = 1_024;

/** A function that can prepare itself for what is constant in a call: a list of networks, a pattern, a range. */
function emitPrepared(call: QuickCall, a: AstNode): Code | undefined {
  const { emitter, place } = call;
  const { prepare } = emitter.functionOf(call.name, place) ?? {};
  const constants = call.values.slice(1).map(constantOf);
  if (prepare === undefined || constants.length === 0 || constants.includes(undefined)) return undefined;
  let ready: ReturnType<typeof prepare>;
  try {
    ready = prepare(constants);
  } catch {
    // The call says what is wrong, where it is evaluated.
    return undefined;
  }
  if (ready === undefined) return undefined;
  const [text, set] = call.hold(a);
  const slowly = call.slowly(text, ...constants.map((constant) => emitter.constant(constant)));
  const known = `typeof ${text}==="string"&&${text}.length<=${QUICK_PREPARED}?${emitter.constant(ready)}(${text}):${slowly}`;
  return any(`(${set},${orAbsent(text, known)})`);
}

function constantOf(node: AstNode): unknown {
  const plain = node.predicate === undefined && node.group === undefined && node.keepArray !== true;
  return plain && (node.type === "string" || node.type === "number") ? node.value : constantsOf(node);
}

function emitSubstring(call: QuickCall): Code {
  const held = call.values.map((value) => call.hold(value));
  const given = held.map(([value]) => value);
  const fits = given.map((value, index) => `typeof ${value}==="${index === 0 ? "string" : "number"}"`);
  const sets = held.map(([, set]) => set);
  return any(
    `(${sets.join(",")},${fits.join("&&")}&&${given[0]}.length<=${QUICK}?R.substringOf(${given.join(",")}):${call.slowly(...given)})`,
  );
}

function isPlainLambda(node: AstNode | undefined): node is AstNode {
  if (node?.type !== "lambda" || hasSuffix(node)) return false;
  return (node as { readonly signature?: unknown }).signature === undefined;
}
