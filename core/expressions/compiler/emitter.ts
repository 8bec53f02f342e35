// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { compileRegex } from "../../kernel/regex.ts";
import { COMPILED_FUNCTIONS } from "../functions/table.ts";
import { type AstNode, type AstPair, textOf } from "../jsonata-ast.ts";
import type { CompiledFunction } from "../runtime/calls.ts";
import { boundIn } from "./bound-names.ts";
import { emitApply, emitCall, emitLambda, emitPartial, emitTransform } from "./emit-call.ts";
import { emitPartAt } from "./emit-quick.ts";
import { emitBinary, emitUnary } from "./emit-operator.ts";
import { emitName, emitPath, labelsIn } from "./emit-path.ts";
import {
  any,
  type Code,
  FunctionScope,
  type Frame,
  NotCompiled,
  type Place,
  type Variable,
} from "./place.ts";

/** How reads of the input are written: straight from it, or through something that notes them. */
export interface ReadStyle {
  /** The value at a path of plain names from the input, settled. */
  path(emitter: Emitter, names: readonly string[]): string;
  /** The same, not settled, to go on from. */
  sequence(emitter: Emitter, names: readonly string[]): string;
  /** Whether there is anything at the path. */
  exists(emitter: Emitter, names: readonly string[]): string;
  /** The input itself. */
  whole(emitter: Emitter): string;
}

export interface EmitOptions {
  /** Undefined: reads are written into the code itself. */
  readonly reads: ReadStyle | undefined;
  /** Functions besides JSONata's, or in place of them. */
  readonly functions: ReadonlyMap<string, CompiledFunction>;
  /** Names that the host binds for every evaluation. */
  readonly bound: ReadonlySet<string>;
}

/** Writes JavaScript for a syntax tree. */
export class Emitter {
  /** Objects that the code refers to as K[0], K[1] … */
  readonly constants: unknown[] = [];
  /** Names of functions that were resolved when the code was written: bindings of these names need an interpreter. */
  readonly resolved = new Set<string>();
  readonly options: EmitOptions;
  #counter = 0;

  constructor(options: EmitOptions) {
    this.options = options;
  }

  /** Statements that return the value, of `input`, `c0`, the context made of it, and `E`, the environment. */
  program(ast: AstNode): string {
    const scope = new FunctionScope(() => ++this.#counter);
    const variables = this.declare(boundIn(ast), scope);
    const frame: Frame = { kind: "variables", variables, outer: undefined };
    const place: Place = {
      context: "c0",
      isRoot: true,
      tuple: "NONE",
      frame,
      scope,
      claimedBy: undefined,
      level: 0,
    };
    const code = this.emit(ast, place).text;
    return scope.statements(`(${resetOf(variables)}${code})`);
  }

  constant(value: unknown): string {
    let index = this.constants.indexOf(value);
    if (index < 0) index = this.constants.push(value) - 1;
    return `K${index}`;
  }

  /** A value of an expression as code. */
  emit(node: AstNode, outside: Place): Code {
    const place = { ...outside, level: outside.level + 1 };
    const [only, ...more] = node.predicate ?? [];
    // By far the most common: one item by its number.
    if (
      only?.expr?.type === "number" &&
      more.length === 0 &&
      node.group === undefined &&
      node.keepArray !== true
    )
      return this.#itemAt(node, only.expr.value as number, place);
    if ((node.predicate ?? node.group) !== undefined && endsWithTailCall(node))
      throw new NotCompiled("a predicate after a block that ends with a call in tail position");
    let code = this.#plain(node, place);
    if (node.predicate !== undefined)
      for (const stage of node.predicate) {
        const filtered = this.filter(code.text, stage.expr as AstNode, place, labelsIn(node));
        code = { text: filtered, kind: "any" };
      }
    if (node.type !== "path" && node.group !== undefined)
      code = { text: this.group(code.text, node.group, place), kind: "any" };
    return code.kind === "any" && this.#mayBeSequence(node)
      ? { text: this.settle(code.text, node), kind: "any" }
      : code;
  }

  /** The same as a condition: a JavaScript boolean. */
  emitCondition(node: AstNode, place: Place): string {
    return this.toCondition(this.emit(node, place));
  }

  toCondition({ text, kind }: Code): string {
    if (kind === "boolean") return text;
    return kind === "boolean?" ? `(${text})===true` : `R.truthy(G,${text})`;
  }

  /** A function of a context, and of a tuple where there may be one. */
  step(node: AstNode, place: Place, names?: ReadonlySet<string>): string {
    if (boundIn(node).size > 0 && names !== undefined) throw new NotCompiled("binds a name within a tuple");
    return this.arrow(place, names, (inner) => this.emit(node, inner).text);
  }

  arrow(place: Place, names: ReadonlySet<string> | undefined, write: (inner: Place) => string): string {
    const scope = place.scope.inner();
    const context = scope.unique("c");
    const tuple = names === undefined ? place.tuple : scope.unique("u");
    const frame: Frame =
      names === undefined ? place.frame : { kind: "tuple", tuple, names, outer: place.frame };
    const body = write({ ...place, context, isRoot: false, tuple, frame, scope });
    return `(${context}${names === undefined ? "" : `,${tuple}`})=>${scope.body(body)}`;
  }

  /** `labels`: those of ancestors that the input, a stream of tuples then, hands on. */
  filter(input: string, predicate: AstNode, place: Place, labels: readonly string[] = []): string {
    if (predicate.type === "number") return `R.pickIndex(${input},${String(predicate.value)})`;
    if (labels.length === 0) return `R.filter(G,${input},${this.step(predicate, place)})`;
    return `R.filterTuples(G,${input},${this.step(predicate, place, new Set(labels))})`;
  }

  group(
    input: string,
    group: { readonly lhs: readonly AstPair[]; readonly position?: number },
    place: Place,
    names?: ReadonlySet<string>,
  ): string {
    const pairs = group.lhs.map((pair) => `[${pair.map((part) => this.step(part, place, names)).join(",")}]`);
    const position = place.claimedBy?.position ?? group.position ?? 0;
    return `R.groupBy(G,${input},[${pairs.join(",")}],${position},${place.tuple})`;
  }

  settle(text: string, node: AstNode): string {
    return node.keepArray === true ? `R.settle(${text},true)` : `R.settle(${text})`;
  }

  /** What a name stands for. */
  resolve(name: string, place: Place): string {
    return this.#lookUp(name, place.frame, place);
  }

  /** Whether a name is bound by the expression itself. */
  isBoundWithin(name: string, frame: Frame | undefined): boolean {
    if (frame === undefined) return false;
    const here = frame.kind === "tuple" ? frame.names.has(name) : frame.variables.has(name);
    return here || this.isBoundWithin(name, frame.outer);
  }

  /** The function that a free name stands for when the code is written. */
  functionOf(name: string, place: Place): CompiledFunction | undefined {
    return this.isBoundWithin(name, place.frame) ? undefined : this.#function(name);
  }

  #function(name: string): CompiledFunction | undefined {
    if (this.options.bound.has(name)) return undefined;
    if (name === "eval") throw new NotCompiled("$eval");
    const known = this.options.functions.get(name) ?? COMPILED_FUNCTIONS.get(name);
    if (known !== undefined) this.resolved.add(name);
    return known;
  }

  declare(names: Iterable<string>, scope: FunctionScope): Map<string, Variable> {
    return new Map([...names].map((name) => [name, { code: scope.variable("v"), bound: false }]));
  }

  /** The context as a value, for something that may read all of it. */
  contextOf(place: Place): string {
    return place.isRoot && this.options.reads !== undefined ? this.options.reads.whole(this) : place.context;
  }

  #lookUp(name: string, frame: Frame | undefined, place: Place): string {
    if (frame === undefined) return this.#free(name, place);
    if (frame.kind === "tuple") {
      const key = JSON.stringify(name);
      const outer = () => this.#lookUp(name, frame.outer, place);
      return frame.names.has(name) ? `(${key} in ${frame.tuple}?${frame.tuple}[${key}]:${outer()})` : outer();
    }
    const variable = frame.variables.get(name);
    if (variable === undefined) return this.#lookUp(name, frame.outer, place);
    if (variable.bound) return variable.code;
    return `(${variable.code}!==U?${variable.code}:${this.#lookUp(name, frame.outer, place)})`;
  }

  #free(name: string, place: Place): string {
    // An ancestor that nothing noted; no variable has such a name.
    if (name.startsWith("!")) return "undefined";
    const known = this.#function(name);
    if (known === undefined) return `E.variable(${JSON.stringify(name)})`;
    return `R.functionValue(G,${this.constant(known)},${this.contextOf(place)})`;
  }

  #plain(node: AstNode, place: Place): Code {
    switch (node.type) {
      case "path":
        return emitPath(this, node, place);
      case "name":
        return any(emitName(this, textOf(node), place));
      case "string":
        return { text: JSON.stringify(node.value), kind: "string" };
      case "number":
        return { text: numberText(node.value as number), kind: "number?" };
      case "value":
        return { text: String(node.value), kind: typeof node.value === "boolean" ? "boolean" : "any" };
      case "binary":
        return emitBinary(this, node, place);
      case "unary":
        return emitUnary(this, node, place);
      case "condition":
        return this.#condition(node, place);
      case "block":
        return this.#block(node, place);
      case "bind":
        return this.#bind(node, place);
      case "variable":
        return any(this.#variable(node, place));
      case "parent":
        return any(this.#parent(node, place));
      case "wildcard":
        return any(`R.wildcard(G,${this.contextOf(place)})`);
      case "descendant":
        return any(`R.descendants(G,${this.contextOf(place)})`);
      case "regex":
        return any(this.#regex(node, place));
      case "lambda":
        return emitLambda(this, node, place);
      case "function":
        return emitCall(this, node, place, undefined);
      case "partial":
        return emitPartial(this, node, place);
      case "apply":
        return emitApply(this, node, place);
      case "transform":
        return emitTransform(this, node, place);
      default:
        throw new NotCompiled(node.type);
    }
  }

  #itemAt(node: AstNode, position: number, place: Place): Code {
    const part = node.type === "function" ? emitPartAt(this, node, position, place) : undefined;
    return part ?? any(`R.itemAt(${this.#plain(node, place).text},${String(position)})`);
  }

  #variable(node: AstNode, place: Place): string {
    const name = textOf(node);
    if (name === "$") return this.options.reads?.whole(this) ?? "input";
    if (name !== "") return this.resolve(name, place);
    return place.isRoot ? `R.contextValue(${this.contextOf(place)})` : place.context;
  }

  #parent(node: AstNode, place: Place): string {
    const label = (node as AstNode & { readonly slot: { readonly label: string } }).slot.label;
    return this.resolve(label, place);
  }

  #regex(node: AstNode, place: Place): string {
    const { source, flags } = node.value as RegExp;
    const compiled = compileRegex(source, flags);
    if (!compiled.ok) throw new NotCompiled(compiled.message);
    const position = place.claimedBy?.position ?? node.position ?? 0;
    return `R.createMatcher(G,${this.constant(compiled.regex)},${position})`;
  }

  #condition(node: AstNode, place: Place): Code {
    const condition = this.emitCondition(node.condition as AstNode, place);
    const branches = [node.then, node.else].map((branch) =>
      branch === undefined ? any("undefined") : this.emit(branch, place),
    );
    const [yes, no] = branches as [Code, Code];
    return { text: `(${condition}?${yes.text}:${no.text})`, kind: yes.kind === no.kind ? yes.kind : "any" };
  }

  #block(node: AstNode, place: Place): Code {
    const expressions = node.expressions ?? [];
    if (expressions.length === 0) return any("undefined");
    const names = new Set(expressions.flatMap((expression) => [...boundIn(expression)]));
    const variables = this.declare(names, place.scope);
    const inner: Place =
      names.size === 0 ? place : { ...place, frame: { kind: "variables", variables, outer: place.frame } };
    let kind: Code["kind"] = "any";
    const parts = expressions.map((expression) => {
      const code = this.emit(expression, inner);
      ({ kind } = code);
      for (let bind = expression; bind.type === "bind"; bind = bind.rhs as AstNode) {
        const variable = variables.get(textOf(bind.lhs as AstNode));
        if (variable !== undefined) variable.bound = true;
      }
      return code.text;
    });
    return { text: `(${resetOf(variables)}${parts.join(",")})`, kind };
  }

  #bind(node: AstNode, place: Place): Code {
    const name = textOf(node.lhs as AstNode);
    const value = this.emit(node.rhs as AstNode, place).text;
    let { frame }: { frame: Frame | undefined } = place;
    while (frame !== undefined && (frame.kind !== "variables" || !frame.variables.has(name)))
      frame = frame.outer;
    if (frame?.kind !== "variables") throw new NotCompiled("a binding without a block");
    return any(`(${(frame.variables.get(name) as Variable).code}=${value})`);
  }

  /** A sequence within a sequence gives way once for each node that it is the value of. */
  #mayBeSequence(node: AstNode): boolean {
    if (node.predicate !== undefined || node.keepArray === true) return true;
    switch (node.type) {
      case "block":
        return this.#mayNest(node.expressions?.at(-1));
      case "condition":
        return this.#mayNest(node.then) || this.#mayNest(node.else);
      case "bind":
        return this.#mayNest(node.rhs as AstNode);
      case "binary":
        return node.value === "..";
      default:
        return !SETTLED.has(node.type ?? "");
    }
  }

  #mayNest(node: AstNode | undefined): boolean {
    if (node === undefined) return false;
    return ["function", "apply", "variable"].includes(node.type ?? "") || this.#mayBeSequence(node);
  }
}

/** Nodes whose value is no sequence, or was one that has given way. */
const SETTLED: ReadonlySet<string> = new Set([
  "string",
  "number",
  "value",
  "unary",
  "lambda",
  "regex",
  "path",
  "transform",
]);

/** Whether the value of a block is a call that is yet to be made, by whoever called the function that the block is in. */
function endsWithTailCall(node: AstNode): boolean {
  if (node.type === "lambda") return (node as { readonly thunk?: boolean }).thunk === true;
  const ends =
    node.type === "block"
      ? [node.expressions?.at(-1)]
      : node.type === "condition"
        ? [node.then, node.else]
        : [];
  return ends.some((end) => end !== undefined && endsWithTailCall(end));
}

/** Code that forgets what variables held: they are given values each time. */
function resetOf(variables: ReadonlyMap<string, Variable>): string {
  return [...variables.values()].map(({ code }) => `${code}=U,`).join("");
}

function numberText(value: number): string {
  return Object.is(value, -0) ? "-0" : value < 0 ? `(${value})` : String(value);
}
