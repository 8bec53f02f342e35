// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { COMPILED_FUNCTIONS } from "../functions/compiled-functions.ts";
import type { AstNode, AstPair } from "../syntax/ast.ts";
import type { CompiledFunction } from "../runtime/calls/callee.ts";
import { boundIn } from "./node-facts.ts";
import { labelsIn } from "../syntax/path-node.ts";
import {
  any,
  type Code,
  FunctionScope,
  type Frame,
  NotCompiled,
  type Place,
  resetOf,
  stepsOf,
  type Variable,
} from "./place.ts";
import { endsWithTailCall, mayBeSequence } from "./node-facts.ts";

/** Code for reads of the input that are noted. Without a style, the code reads the input itself. */
export interface ReadStyle {
  /** The value at a path of plain names from the input, settled. */
  path(emitter: Emitter, names: readonly string[]): string;
  /** The value as a JSONata sequence, for the steps after it. */
  sequence(emitter: Emitter, names: readonly string[]): string;
  /** A boolean: whether the path has a value. */
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

/** The emitters of all kinds of nodes. They write the nodes within theirs through the Emitter, which so imports none of them. */
export interface NodeEmitters {
  /** The value of a node, without its predicates and its group. */
  node(emitter: Emitter, node: AstNode, place: Place): Code;
  /** The item at `position` of a call's value, where less than the whole value need be made; undefined where it must. */
  itemOfCall(emitter: Emitter, call: AstNode, position: number, place: Place): Code | undefined;
}

/** Writes JavaScript for a syntax tree. */
export class Emitter {
  /** Objects that the code refers to as K[0], K[1] … */
  readonly constants: unknown[] = [];
  /** Names of functions that were resolved when the code was written: bindings of these names need an interpreter. */
  readonly resolved = new Set<string>();
  readonly options: EmitOptions;
  readonly #emitters: NodeEmitters;
  #counter = 0;

  constructor(options: EmitOptions, emitters: NodeEmitters) {
    this.options = options;
    this.#emitters = emitters;
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
    if ((node.predicate ?? node.group) !== undefined && endsWithTailCall(node))
      throw new NotCompiled("a predicate after a block that ends with a call in tail position");
    const [only, ...more] = node.predicate ?? [];
    // Fast path: `[n]` alone, the most common predicate, picks one item.
    if (
      only?.expr?.type === "number" &&
      more.length === 0 &&
      node.group === undefined &&
      node.keepArray !== true
    )
      return this.#itemAt(node, only.expr.value as number, place);
    let code = this.#emitters.node(this, node, place);
    if (node.predicate !== undefined)
      for (const stage of node.predicate) {
        const filtered = this.filter(code.text, stage.expr as AstNode, place, labelsIn(node));
        code = { text: filtered, kind: "any" };
      }
    if (node.type !== "path" && node.group !== undefined)
      code = { text: this.group(code.text, node.group, place), kind: "any" };
    return code.kind === "any" && mayBeSequence(node)
      ? { text: this.settle(code.text, node), kind: "any" }
      : code;
  }

  /** The node as a condition: code for a JavaScript boolean. */
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
    const steps = stepsOf(body);
    const charged = steps === 0 ? body : `(G.tick(${steps}),${body})`;
    return `(${context}${names === undefined ? "" : `,${tuple}`})=>${scope.body(charged)}`;
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

  /** Code for the value of a variable or of a function, by its name without the `$`. */
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
    if (name === "$") return this.options.reads?.whole(this) ?? "input";
    const known = this.#function(name);
    if (known === undefined) return `E.variable(${JSON.stringify(name)})`;
    return `R.functionValue(G,${this.constant(known)},${this.contextOf(place)})`;
  }

  #itemAt(node: AstNode, position: number, place: Place): Code {
    const part =
      node.type === "function" ? this.#emitters.itemOfCall(this, node, position, place) : undefined;
    return part ?? any(`R.itemAt(${this.#emitters.node(this, node, place).text},${String(position)})`);
  }
}
