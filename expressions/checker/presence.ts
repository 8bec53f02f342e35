// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { type AstNode, textOf } from "../syntax/ast.ts";
import type { Meaning } from "../functions/definition.ts";
import { FUNCTION_TYPES, isStrict } from "../functions/function-facts.ts";
import { FUNCTIONS } from "../functions/functions.ts";
import type { Inferred } from "./inference/inferred.ts";

/** Keys (`Presence.keyOf`) of the values that are known to be present at some point of an expression. */
export type Facts = ReadonlySet<string>;

export const NO_FACTS: Facts = new Set();

const ORDERS: ReadonlySet<unknown> = new Set(["<", "<=", ">", ">="]);
const ARITHMETIC: ReadonlySet<unknown> = new Set(["+", "-", "*", "/", "%"]);

/** Tells which values are certainly present, and which may be absent. */
export class Presence {
  readonly #inference: Inferred;
  /** Memoised results: the parts of a long chain are not analysed again for each of its operators. */
  readonly #true = new Map<AstNode, Facts>();
  readonly #false = new Map<AstNode, Facts>();

  constructor(inference: Inferred) {
    this.#inference = inference;
  }

  /** The values that are present when `node` is true. */
  whenTrue(node: AstNode): Facts {
    return remember(this.#true, node, () => this.#whenTrue(node));
  }

  /** The values that are present when `node` is false or has no value. */
  whenFalse(node: AstNode): Facts {
    return remember(this.#false, node, () => this.#whenFalse(node));
  }

  #whenTrue(node: AstNode): Facts {
    const inner = onlyExpression(node);
    if (inner !== undefined) return this.whenTrue(inner);
    const argument = argumentOf(node, "negation");
    if (argument !== undefined) return this.whenFalse(argument);
    const existing = argumentOf(node, "existence") ?? argumentOf(node, "truth");
    if (existing !== undefined) return this.#within(existing);
    if (node.type !== "binary") return this.#within(node);
    const [left, right] = [node.lhs as AstNode, node.rhs as AstNode];
    if (node.value === "and") return union(this.whenTrue(left), this.whenTrue(right));
    if (node.value === "or") return common(this.whenTrue(left), this.whenTrue(right));
    return node.value === "&" ? NO_FACTS : union(this.#within(left), this.#within(right));
  }

  #whenFalse(node: AstNode): Facts {
    const inner = onlyExpression(node);
    if (inner !== undefined) return this.whenFalse(inner);
    const argument = argumentOf(node, "negation");
    // `$not` of an absent value is not true either.
    if (argument !== undefined)
      return this.absentPart(argument, NO_FACTS) === undefined ? this.whenTrue(argument) : NO_FACTS;
    if (node.type !== "binary") return NO_FACTS;
    const [left, right] = [node.lhs as AstNode, node.rhs as AstNode];
    if (node.value === "or") return union(this.whenFalse(left), this.whenFalse(right));
    return node.value === "and" ? common(this.whenFalse(left), this.whenFalse(right)) : NO_FACTS;
  }

  /**
   * The part of `node` whose absence leaves `node` without a value; undefined when `node` always has a value.
   */
  absentPart(node: AstNode, facts: Facts): AstNode | undefined {
    if (facts.has(this.keyOf(node))) return undefined;
    switch (node.type) {
      case "block": {
        const last = node.expressions?.at(-1);
        return last && this.absentPart(last, facts);
      }
      case "bind":
        return this.absentPart(node.rhs as AstNode, facts);
      case "condition":
        return this.#absentBranch(node, facts);
      case "binary": {
        if (!ORDERS.has(node.value) && !ARITHMETIC.has(node.value)) return undefined;
        const left = this.absentPart(node.lhs as AstNode, facts);
        return left ?? this.absentPart(node.rhs as AstNode, facts);
      }
      case "function":
        return this.#absentCall(node, facts);
      case "path":
      case "variable":
        return this.#inference.shapeOf(node).optional ? node : undefined;
      default:
        return undefined;
    }
  }

  /** A key that is equal for equal values: the value's path in the bag, or else its text. */
  keyOf(node: AstNode): string {
    const { place } = this.#inference.shapeOf(node);
    return place === undefined ? this.#inference.findings.textOf(node) : JSON.stringify(place);
  }

  /** The values that are present when `node` has a value. */
  #within(node: AstNode): Facts {
    if (this.#inference.shapeOf(node).constant !== undefined) return NO_FACTS;
    const facts = new Set([this.keyOf(node)]);
    const inner = onlyExpression(node);
    const { place = [] } = this.#inference.shapeOf(node);
    for (const length of place.keys()) if (length > 0) facts.add(JSON.stringify(place.slice(0, length)));
    const operands =
      node.type === "binary" && (ORDERS.has(node.value) || ARITHMETIC.has(node.value))
        ? [node.lhs as AstNode, node.rhs as AstNode]
        : [inner ?? strictArgument(node)];
    for (const operand of operands)
      if (operand !== undefined) for (const fact of this.#within(operand)) facts.add(fact);
    return facts;
  }

  #absentBranch(node: AstNode, facts: Facts): AstNode | undefined {
    const condition = node.condition as AstNode;
    const then = this.absentPart(node.then as AstNode, union(facts, this.whenTrue(condition)));
    if (then !== undefined) return then;
    return node.else && this.absentPart(node.else, union(facts, this.whenFalse(condition)));
  }

  #absentCall(node: AstNode, facts: Facts): AstNode | undefined {
    const argument = strictArgument(node);
    const absent = argument && this.absentPart(argument, facts);
    if (absent !== undefined) return absent;
    const type = FUNCTION_TYPES.get(node.procedure?.type === "variable" ? textOf(node.procedure) : "");
    return type?.resultOptional === true && this.#inference.shapeOf(node).optional ? node : undefined;
  }
}

/** The only expression in a pair of parentheses. */
export function onlyExpression(node: AstNode): AstNode | undefined {
  return node.type === "block" && node.expressions?.length === 1 ? node.expressions[0] : undefined;
}

/** The argument of a call of the function with this meaning, if the call has one argument. */
export function argumentOf(node: AstNode, meaning: Meaning): AstNode | undefined {
  const values = node.arguments ?? [];
  return values.length === 1 && meaningOf(node) === meaning ? values[0] : undefined;
}

/** The meaning of the function that a node calls by name. */
export function meaningOf({ type, procedure }: AstNode): Meaning | undefined {
  if (type !== "function" || procedure?.type !== "variable") return undefined;
  return FUNCTIONS.get(textOf(procedure))?.checks?.meaning;
}

/** The argument without which a call has no value. */
function strictArgument(node: AstNode): AstNode | undefined {
  if (node.type !== "function" || node.procedure?.type !== "variable") return undefined;
  const name = textOf(node.procedure);
  return isStrict(name) ? node.arguments?.[0] : undefined;
}

export function union(a: Facts, b: Facts): Facts {
  if (a.size === 0 || b.size === 0) return a.size === 0 ? b : a;
  return new Set([...a, ...b]);
}

function common(a: Facts, b: Facts): Facts {
  return new Set([...a].filter((fact) => b.has(fact)));
}

function remember(known: Map<AstNode, Facts>, node: AstNode, find: () => Facts): Facts {
  const facts = known.get(node) ?? find();
  known.set(node, facts);
  return facts;
}
