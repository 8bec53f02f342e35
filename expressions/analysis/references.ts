// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { StaticReference, StaticReferences } from "./static-references.ts";
import { readsContext } from "../functions/function-facts.ts";
import { FUNCTIONS } from "../functions/functions.ts";
import { type AstNode, type AstStage, isPairs, startOf, textOf, variableName, walk } from "../syntax/ast.ts";

/**
 * Finds the paths of the bag that an expression can read, without running it (static analysis). A reference
 * covers everything below its path: values computed from a value that was read whole add no reference. So a
 * value is followed only as long as later steps may read into it, as the set of its possible places in the
 * bag (`Places`).
 */
export function staticReferences(ast: AstNode, source: string): StaticReferences {
  const finder = new Finder(source, isRebound(ast));
  const scope = new Scope();
  // `$$` is the input until an expression binds that name.
  scope.bind("$", [ROOT]);
  finder.use(finder.placesOf(ast, [ROOT], scope));
  return { paths: finder.found(), exact: finder.exact };
}

/**
 * Possible places of a value in the bag; empty for a computed value, and for part of a value already
 * referenced.
 */
type Places = readonly StaticReference[];

const ROOT: StaticReference = { path: [], offset: 0 };
const NOWHERE: Places = [];

/** Scope of variables, with the possible places of each. */
class Scope {
  readonly #variables = new Map<string, Places>();
  readonly #outer: Scope | undefined;

  constructor(outer?: Scope) {
    this.#outer = outer;
  }

  bind(name: string, places: Places): void {
    this.#variables.set(name, places);
  }

  lookup(name: string): Places {
    return this.#variables.get(name) ?? this.#outer?.lookup(name) ?? NOWHERE;
  }
}

class Finder {
  exact: boolean;
  readonly #source: string;
  readonly #found = new Map<string, StaticReference>();

  constructor(source: string, rebinds: boolean) {
    this.#source = source;
    // A lambda sees the last value of a variable that is bound twice, which may not be the value of this
    // walk.
    this.exact = !rebinds;
  }

  /** The references in the order of the source. */
  found(): readonly StaticReference[] {
    return [...this.#found.values()].sort((a, b) => a.offset - b.offset);
  }

  /** Notes that the values at `places` are read whole. */
  use(places: Places): void {
    for (const place of places) {
      if (place.path.length === 0) this.exact = false;
      else this.#note(place);
    }
  }

  placesOf(node: AstNode, context: Places, scope: Scope): Places {
    let places = this.#unfiltered(node, context, scope);
    if (node.predicate !== undefined) this.#filter(node.predicate, places, scope);
    if (node.group !== undefined) {
      for (const pair of node.group.lhs) for (const part of pair) this.#read(part, places, scope);
      this.use(places);
      places = NOWHERE;
    }
    return places;
  }

  #note(place: StaticReference): void {
    const key = JSON.stringify(place.path);
    const known = this.#found.get(key);
    if (known === undefined || place.offset < known.offset) this.#found.set(key, place);
  }

  #read(node: AstNode, context: Places, scope: Scope): void {
    this.use(this.placesOf(node, context, scope));
  }

  #unfiltered(node: AstNode, context: Places, scope: Scope): Places {
    switch (node.type) {
      case "path":
        return this.#path(node.steps ?? [], context, scope);
      case "name":
        return context.map(({ path, offset }) => ({ path: [...path, textOf(node)], offset }));
      case "variable":
        return this.#variable(textOf(node), context, scope);
      case "wildcard":
      case "descendant":
        this.exact = false;
        this.use(context);
        return NOWHERE;
      case "parent":
        this.exact = false;
        return NOWHERE;
      case "block":
        return this.#block(node.expressions ?? [], context, new Scope(scope));
      case "bind": {
        const places = this.placesOf(node.rhs as AstNode, context, scope);
        scope.bind(textOf(node.lhs as AstNode), places);
        return places;
      }
      case "condition":
        this.#read(node.condition as AstNode, context, scope);
        return [node.then, node.else].flatMap((branch) =>
          branch ? this.placesOf(branch, context, scope) : [],
        );
      case "function":
      case "partial":
        return this.#call(node, context, scope, 0);
      case "apply":
        return this.#apply(node, context, scope);
      case "lambda":
        return this.#lambda(node, context, scope);
      case "transform":
        // The operator's matches lie within its input, which is noted where it is read.
        this.exact = false;
        for (const part of [node.pattern, node.update, node.delete])
          if (part) this.#read(part, NOWHERE, scope);
        return NOWHERE;
      default:
        this.#operands(node, context, scope);
        return NOWHERE;
    }
  }

  #path(steps: readonly AstNode[], context: Places, scope: Scope): Places {
    const [first] = steps;
    // A path begins at its own first token, not at the origin of its variable or context.
    const offset = first === undefined ? 0 : startOf(first, this.#source);
    const isName = first?.type === "name";
    let places: Places = isName ? context.map(({ path }) => ({ path, offset })) : context;
    for (const [index, step] of steps.entries()) {
      if (step.type === "sort") {
        for (const { expression } of step.terms ?? []) this.#read(expression, places, scope);
      } else {
        // Other steps run once for each value, so the path depends on the number of values.
        if (index > 0 && step.type !== "name") this.use(places);
        const next = this.placesOf(step, places, scope);
        if (index === 0 && step.type === "variable") places = next.map(({ path }) => ({ path, offset }));
        else if (step.focus !== undefined) scope.bind(step.focus, next);
        else places = next;
      }
      if (step.index !== undefined) scope.bind(step.index, NOWHERE);
      this.#filter(step.stages ?? [], places, scope);
    }
    return places;
  }

  #variable(name: string, context: Places, scope: Scope): Places {
    return name === "" ? context : scope.lookup(name);
  }

  #block(expressions: readonly AstNode[], context: Places, scope: Scope): Places {
    let last: Places = NOWHERE;
    for (const [index, expression] of expressions.entries()) {
      last = this.placesOf(expression, context, scope);
      if (index < expressions.length - 1 && expression.type !== "bind") this.use(last);
    }
    return last;
  }

  #filter(stages: readonly AstStage[], places: Places, scope: Scope): void {
    for (const stage of stages) {
      if (stage.expr !== undefined) this.#read(stage.expr, places, scope);
      else scope.bind(textOf(stage), NOWHERE);
    }
  }

  /** Visits a call. `given` counts arguments outside the brackets: 1 for `a ~> $f(b)`. */
  #call(node: AstNode, context: Places, scope: Scope, given: number): Places {
    const values = node.arguments ?? [];
    const procedure = node.procedure as AstNode;
    const name = variableName(procedure) ?? "";
    this.#read(procedure, context, scope);
    if (FUNCTIONS.get(name)?.checks?.meaning === "member")
      return this.#lookup(name, values, context, scope, given);
    for (const value of values) this.#read(value, context, scope);
    this.#useContext(name, values.length + given, context);
    return NOWHERE;
  }

  #useContext(name: string, given: number, context: Places): void {
    if (readsContext(name, given)) this.use(context);
  }

  /** Visits `$lookup(x, "name")` like `x.name`. */
  #lookup(name: string, values: readonly AstNode[], context: Places, scope: Scope, given: number): Places {
    const [object, key] = values;
    if (given === 0 && object !== undefined && key?.type === "string") {
      return this.placesOf(object, context, scope).map(({ path, offset }) => ({
        path: [...path, textOf(key)],
        offset,
      }));
    }
    this.exact = false;
    for (const value of values) this.#read(value, context, scope);
    this.#useContext(name, values.length + given, context);
    return NOWHERE;
  }

  #apply(node: AstNode, context: Places, scope: Scope): Places {
    this.#read(node.lhs as AstNode, context, scope);
    const target = node.rhs as AstNode;
    if (target.type !== "function") this.#read(target, context, scope);
    else this.#call(target, context, scope, 1);
    return NOWHERE;
  }

  /** Visits a lambda. Its arguments are noted at its calls. */
  #lambda(node: AstNode, context: Places, scope: Scope): Places {
    const inner = new Scope(scope);
    for (const parameter of node.arguments ?? []) inner.bind(textOf(parameter), NOWHERE);
    if (node.body !== undefined) this.#read(node.body, context, inner);
    return NOWHERE;
  }

  /** Visits operators and constructors: each operand is read whole. */
  #operands(node: AstNode, context: Places, scope: Scope): void {
    if (isPairs(node.lhs)) {
      for (const pair of node.lhs) for (const part of pair) this.#read(part, context, scope);
      return;
    }
    for (const operand of [node.lhs, node.rhs, node.expression, ...(node.expressions ?? [])]) {
      if (operand !== undefined) this.#read(operand, context, scope);
    }
  }
}

/** Whether any variable is bound in more than one place. */
function isRebound(ast: AstNode): boolean {
  const bound: string[] = [];
  walk(ast, (node) => {
    if (node.type === "bind") bound.push(textOf(node.lhs as AstNode));
  });
  return new Set(bound).size < bound.length;
}
