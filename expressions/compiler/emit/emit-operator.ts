// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { type AstNode, hasSuffix, textOf } from "../../syntax/ast.ts";
import { constantsOf } from "../../syntax/constants.ts";
import { boundIn, objectDepth, pairsOf } from "../node-facts.ts";
import type { Emitter } from "../emitter.ts";
import { type Code, NotCompiled, type Place } from "../place.ts";

/** A list of up to as many constants is compared one by one; a longer one is a set. */
const COMPARED_ONE_BY_ONE = 8;

export function emitBinary(emitter: Emitter, node: AstNode, place: Place): Code {
  const operator = textOf(node);
  if (operator === "and" || operator === "or") return emitLogic(emitter, node, operator, place);
  const right = node.rhs as AstNode;
  const members = operator === "in" ? constantsOf(right) : undefined;
  const left = emitter.emit(node.lhs as AstNode, place);
  if (members !== undefined) return { text: emitMembership(emitter, left, members, place), kind: "boolean" };
  const a = hold(left, place);
  const b = hold(emitter.emit(right, place), place);
  const given = `${a.set}${b.set}`;
  const { position, token } = place.claimedBy ?? { position: node.position ?? 0, token: operator };
  const site = `${position},${JSON.stringify(token)}`;
  switch (operator) {
    case "=":
    case "!=":
      return { text: `(${given}${emitEquality(operator, a, b)})`, kind: "boolean" };
    case "<":
    case "<=":
    case ">":
    case ">=": {
      const slow = `R.order(G,${JSON.stringify(operator)},${a.name},${b.name},${site})`;
      const fast = `typeof ${a.name}==="number"&&typeof ${b.name}==="number"`;
      return { text: `(${given}${fast}?${a.name}${operator}${b.name}:${slow})`, kind: "boolean?" };
    }
    case "in":
      return { text: `(${given}R.includes(G,${a.name},${b.name}))`, kind: "boolean" };
    case "&": {
      const slow = `R.concat(G,${a.name},${b.name},${site})`;
      if ([a, b].some(({ constant, name }) => constant && !name.startsWith('"')))
        return { text: `(${given}${slow})`, kind: "string" };
      const fast = `typeof ${a.name}==="string"&&typeof ${b.name}==="string"&&${a.name}.length+${b.name}.length<=G.maxWeight`;
      return { text: `(${given}${fast}?${a.name}+${b.name}:${slow})`, kind: "string" };
    }
    case "..":
      return { text: `(${given}R.range(G,${a.name},${b.name},${site}))`, kind: "any" };
    case "+":
    case "-":
    case "*":
    case "/":
    case "%": {
      const slow = `R.arithmetic(${JSON.stringify(operator)},${a.name},${b.name},${site})`;
      // A number less itself is zero unless it is infinite, or none.
      const fast = `typeof ${a.name}==="number"&&typeof ${b.name}==="number"&&${a.name}-${a.name}===0&&${b.name}-${b.name}===0`;
      return { text: `(${given}${fast}?${a.name}${operator} ${b.name}:${slow})`, kind: "number?" };
    }
    default:
      throw new NotCompiled(operator);
  }
}

export function emitUnary(emitter: Emitter, node: AstNode, place: Place): Code {
  const operator = textOf(node);
  const { position, token } = place.claimedBy ?? { position: node.position ?? 0, token: operator };
  if (operator === "-") {
    const value = emitter.emit(node.expression as AstNode, place).text;
    return { text: `R.negate(${value},${position},${JSON.stringify(token)})`, kind: "number?" };
  }
  if (operator === "[") return { text: emitArray(emitter, node, place), kind: "any" };
  return { text: emitObject(emitter, node, place), kind: "any" };
}

/**
 * Longer code, in characters, is taken for no constant and no variable without a look at it: looking flattens a text that was put together,
 * and an operand in an operand in an operand would be copied once for each.
 */
const LONGEST_LOOKED_AT = 1_024;

/** A value that is used more than once, in a variable unless it is one already, or a constant. */
function hold(
  { text }: Code,
  place: Place,
): { readonly name: string; readonly set: string; readonly constant: boolean } {
  if (text.length <= LONGEST_LOOKED_AT) {
    const constant = /^(?:-?[0-9.e+]+|"(?:[^"\\]|\\.)*"|true|false|null)$/.test(text);
    if (constant || /^[ckv][0-9]+$/.test(text)) return { name: text, set: "", constant };
  }
  const name = place.scope.variable();
  return { name, set: `${name}=${text},`, constant: false };
}

type Held = ReturnType<typeof hold>;

function emitEquality(operator: string, a: Held, b: Held): string {
  const [fixed, other] = b.constant ? [b, a] : [a, b];
  if (fixed.constant && operator === "=") return `${other.name}===${fixed.name}`;
  if (fixed.constant) return `${other.name}!==undefined&&${other.name}!==${fixed.name}`;
  return `${operator === "=" ? "R.equals" : "R.differs"}(G,${a.name},${b.name})`;
}

function emitLogic(emitter: Emitter, node: AstNode, operator: "and" | "or", place: Place): Code {
  const left = emitter.emitCondition(node.lhs as AstNode, place);
  // The operator says that errors of its right side are its own.
  const claimedBy = place.claimedBy ?? { position: node.position ?? 0, token: operator };
  const right = emitter.emitCondition(node.rhs as AstNode, { ...place, claimedBy });
  return { text: `(${left}${operator === "and" ? "&&" : "||"}${right})`, kind: "boolean" };
}

function emitMembership(emitter: Emitter, left: Code, members: readonly unknown[], place: Place): string {
  const value = hold(left, place);
  if (members.length > COMPARED_ONE_BY_ONE)
    return `(${value.set}${emitter.constant(new Set(members))}.has(${value.name}))`;
  const tests = members.map((member) => `${value.name}===${JSON.stringify(member)}`);
  return `(${value.set}${tests.join("||")})`;
}

function emitArray(emitter: Emitter, node: AstNode, place: Place): string {
  const items = node.expressions ?? [];
  if (items.some((item) => boundIn(item).size > 0)) throw new NotCompiled("binds a name within an array");
  const nested = items.map((item) => item.value === "[");
  const values = items.map((item) => emitter.emit(item, place).text).join(",");
  const cons = (node as AstNode & { readonly consarray?: boolean }).consarray === true;
  return `R.buildArray(G,[${values}],${emitter.constant(nested)},${cons})`;
}

/** Objects in objects up to which their code is written twice, for one context and for an array of them: each doubles it. */
const MOST_DOUBLED = 3;

function emitObject(emitter: Emitter, node: AstNode, place: Place): string {
  const pairs = pairsOf(node);
  if (pairs.some((pair) => pair.some((part) => boundIn(part).size > 0)))
    throw new NotCompiled("binds a name within an object");
  const context = place.context;
  const slow = (): string =>
    emitter.group(emitter.contextOf(place), { lhs: pairs, position: node.position ?? 0 }, place);
  const keys = pairs.map(([key]) => (key.type === "string" && !hasSuffix(key) ? textOf(key) : undefined));
  const simple =
    keys.every((key) => key !== undefined && !/^(?:[0-9]+|_jsonata_.*)$/.test(key)) &&
    new Set(keys).size === keys.length;
  // An array as the context would be grouped; the input of a policy is none.
  const isDeep = !(place.isRoot && emitter.options.reads !== undefined) && objectDepth(node) > MOST_DOUBLED;
  if (!simple || isDeep || (place.isRoot && emitter.options.reads === undefined && pairs.length === 0))
    return slow();
  const object = place.scope.variable();
  const value = place.scope.variable();
  const sets = pairs.map(
    ([, member], index) =>
      `(${value}=${emitter.emit(member, place).text})!==undefined&&(${object}[${JSON.stringify(keys[index])}]=${value})`,
  );
  // Names may be called anything, __proto__ too: the object has no prototype.
  const fast = `(${[`${object}=Object.create(null)`, ...sets, object].join(",")})`;
  if (place.isRoot && emitter.options.reads !== undefined) return fast;
  return `(Array.isArray(${context})?${slow()}:${fast})`;
}
