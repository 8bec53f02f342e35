// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { AttributeManifest } from "../../manifest/manifest.ts";
import { type AstNode, type AstStage, isPairs, textOf, walk } from "../../syntax/ast.ts";
import { shapeOfCall } from "./calls.ts";
import type { Findings } from "../findings.ts";
import type { ExpressionUse } from "../finding.ts";
import type { Kind } from "../../functions/function-type.ts";
import { FUNCTIONS } from "../../functions/functions.ts";
import type { Inferred } from "./inferred.ts";
import { ANYTHING, always, either, isOnly, type Shape, shapeOfAttribute } from "./kinds.ts";
import { checkNumber, shapeOfBinary } from "./operators.ts";
import { checkDefault } from "./logic.ts";
import { checkTextFilter } from "./text-filter.ts";
import type { TextTest } from "./text-tests.ts";

/** Variables by name. */
type Scope = ReadonlyMap<string, Shape>;

const ROOT: Shape = { kinds: new Set<Kind>(["object"]), optional: false, place: [] };

/** A value that no manifest declares: another check says so, or the manifest could not be read. */
const UNKNOWN: Shape = { ...ANYTHING, optional: false };

/** Infers the shape of every part of an expression, and notes on the way the parts that cannot work. */
export class Inference implements Inferred {
  readonly findings: Findings;
  readonly use: ExpressionUse;
  readonly joined = new Map<AstNode, Map<string, unknown>>();
  readonly tests = new Map<AstNode, TextTest>();
  readonly #shapes = new Map<AstNode, Shape>();
  readonly #rebound: ReadonlySet<string>;

  constructor(ast: AstNode, use: ExpressionUse, findings: Findings) {
    this.findings = findings;
    this.use = use;
    this.#rebound = reboundVariables(ast);
    this.infer(ast, ROOT, new Map());
  }

  shapeOf(node: AstNode): Shape {
    return this.#shapes.get(node) ?? ANYTHING;
  }

  infer(node: AstNode, context: Shape, scope: Scope): Shape {
    let shape = this.#plain(node, context, scope);
    for (const stage of node.predicate ?? []) shape = this.#stage(node, stage, shape, scope);
    if (node.group !== undefined) {
      for (const part of node.group.lhs.flat()) this.infer(part, itemOf(shape), scope);
      shape = { ...always("object"), optional: shape.optional };
    }
    if (node.keepArray === true) shape = { kinds: new Set<Kind>(["array"]), optional: shape.optional };
    this.#shapes.set(node, shape);
    return shape;
  }

  #plain(node: AstNode, context: Shape, scope: Scope): Shape {
    switch (node.type) {
      case "string":
      case "number":
      case "value":
        return literal(node.value);
      case "regex":
        return node.value instanceof RegExp
          ? { ...always("function"), pattern: node.value }
          : always("function");
      case "path":
        return this.#path(node, context, scope);
      case "name":
        return memberOf(context, textOf(node), this.use.manifest);
      case "variable":
        return this.#variable(textOf(node), context, scope);
      case "block":
        return this.#block(node.expressions ?? [], context, scope);
      case "bind":
        return this.infer(node.rhs as AstNode, context, scope);
      case "condition":
        return this.#condition(node, context, scope);
      case "binary":
        return this.#binary(node, context, scope);
      case "unary":
        return this.#unary(node, context, scope);
      case "function":
      case "partial":
        return this.#call(node, [], context, scope);
      case "apply":
        return this.#apply(node, context, scope);
      case "lambda":
        return this.#lambda(node, context, scope);
      default:
        for (const part of [node.pattern, node.update, node.delete])
          if (part !== undefined) this.infer(part, ANYTHING, scope);
        return node.type === "transform" ? always("function") : ANYTHING;
    }
  }

  #path(node: AstNode, context: Shape, outer: Scope): Shape {
    const { steps = [], keepSingletonArray } = node;
    let shape = context;
    let scope = outer;
    for (const [index, step] of steps.entries()) {
      const before = index === 0 || step.type === "name" ? shape : itemOf(shape);
      if (step.type === "sort") {
        for (const { expression } of step.terms ?? []) this.infer(expression, itemOf(shape), scope);
        continue;
      }
      const taken = this.infer(step, before, scope);
      shape = index === 0 || step.type === "name" ? taken : mapped(shape, taken);
      for (const stage of step.stages ?? []) shape = this.#stage(node, stage, shape, scope);
      // Variables that a join binds are not followed.
      if (step.focus !== undefined || step.index !== undefined) {
        scope = new Map([...scope, [step.focus ?? "", ANYTHING], [step.index ?? "", ANYTHING]]);
        shape = ANYTHING;
      }
    }
    return keepSingletonArray === true
      ? { kinds: new Set<Kind>(["array"]), optional: shape.optional }
      : shape;
  }

  /** Infers `[…]` after `owner`, or after a step of `owner`. */
  #stage(owner: AstNode, stage: AstStage, shape: Shape, scope: Scope): Shape {
    if (stage.expr === undefined) return filtered(shape);
    const { constant } = this.infer(stage.expr, itemOf(shape), scope);
    if (typeof constant !== "string") return filtered(shape);
    checkTextFilter(owner, stage.expr, shape, constant, this);
    return ANYTHING;
  }

  #variable(name: string, context: Shape, scope: Scope): Shape {
    if (name === "") return context;
    if (this.#rebound.has(name)) return ANYTHING;
    return scope.get(name) ?? (name === "$" ? ROOT : ANYTHING);
  }

  #block(expressions: readonly AstNode[], context: Shape, outer: Scope): Shape {
    const scope = new Map(outer);
    let last: Shape = ANYTHING;
    for (const expression of expressions) {
      last = this.infer(expression, context, scope);
      if (expression.type === "bind") scope.set(textOf(expression.lhs as AstNode), last);
    }
    return last;
  }

  #condition(node: AstNode, context: Shape, scope: Scope): Shape {
    this.infer(node.condition as AstNode, context, scope);
    const then = this.infer(node.then as AstNode, context, scope);
    if (node.else === undefined) return { kinds: then.kinds, optional: true };
    const otherwise = this.infer(node.else, context, scope);
    checkDefault(node, then, this);
    return either(then, otherwise);
  }

  #binary(node: AstNode, context: Shape, scope: Scope): Shape {
    const lhs = this.infer(node.lhs as AstNode, context, scope);
    const rhs = this.infer(node.rhs as AstNode, context, scope);
    return shapeOfBinary(node, lhs, rhs, this);
  }

  #unary(node: AstNode, context: Shape, scope: Scope): Shape {
    if (isPairs(node.lhs)) {
      for (const part of node.lhs.flat()) this.infer(part, context, scope);
      return always("object");
    }
    if (node.expression !== undefined) {
      const operand = this.infer(node.expression, context, scope);
      checkNumber(node.expression, operand, node, this);
      const { optional } = operand;
      return { ...always("number"), optional };
    }
    const elements = (node.expressions ?? []).map((item) => this.infer(item, context, scope));
    // JSONata flattens lists within a list, so the kinds of their items count.
    const items = new Set(elements.flatMap((item) => [...itemOf(item).kinds]));
    return { ...always("array"), items, elements };
  }

  #call(node: AstNode, given: readonly Shape[], context: Shape, scope: Scope): Shape {
    const procedure = node.procedure as AstNode;
    if (procedure.type !== "variable") this.infer(procedure, context, scope);
    const values = (node.arguments ?? []).map((value) => this.infer(value, context, scope));
    if (node.type === "partial") return always("function");
    // The call may be a range, which the engine turns into a call.
    if (procedure.type !== "variable" || scope.has(textOf(procedure))) return ANYTHING;
    if (FUNCTIONS.get(textOf(procedure))?.checks?.meaning === "member" && given.length === 0) {
      const [object, key] = values;
      if (object !== undefined && typeof key?.constant === "string")
        return memberOf(object, key.constant, this.use.manifest);
    }
    return shapeOfCall(node, { values, given, context }, this);
  }

  #apply(node: AstNode, context: Shape, scope: Scope): Shape {
    const lhs = this.infer(node.lhs as AstNode, context, scope);
    const target = node.rhs as AstNode;
    if (isOnly(lhs, "function")) {
      // `~>` between two functions composes them into one.
      this.infer(target, context, scope);
      return ANYTHING;
    }
    if (target.type === "function") {
      const shape = this.#call(target, [lhs], context, scope);
      this.#shapes.set(target, shape);
      return shape;
    }
    this.infer(target, context, scope);
    if (target.type !== "variable" || scope.has(textOf(target))) return ANYTHING;
    const call: AstNode = { type: "function", procedure: target, arguments: [] };
    return shapeOfCall(call, { values: [], given: [lhs], context }, this);
  }

  #lambda(node: AstNode, context: Shape, outer: Scope): Shape {
    const parameters = (node.arguments ?? []).map((parameter) => [textOf(parameter), ANYTHING] as const);
    if (node.body !== undefined) this.infer(node.body, context, new Map([...outer, ...parameters]));
    return always("function");
  }
}

function literal(value: unknown): Shape {
  if (value === null) return { ...always("null"), constant: null };
  if (typeof value === "string") return { ...always("string"), constant: value };
  if (typeof value === "number") return { ...always("number"), constant: value };
  return { ...always("boolean"), constant: value === true };
}

/** The shape of the member `name` of a value in the bag; nothing is known of a computed value's members. */
function memberOf(shape: Shape, name: string, manifest: AttributeManifest): Shape {
  const { place, members } = shape;
  const member = members?.get(name);
  if (member !== undefined) return { ...member, optional: shape.optional };
  if (place === undefined) return shape === UNKNOWN ? UNKNOWN : ANYTHING;
  const path = [...place, name];
  const match = manifest.lookup(path);
  if (match === undefined) return UNKNOWN;
  if (match.kind === "attribute") return shapeOfAttribute(match.declaration, path);
  if (match.kind === "group")
    return {
      ...always("object"),
      optional: match.members.every(({ optional }) => optional),
      place: path,
    };
  const kinds = match.declaration.type === "STRING_MAP" ? new Set<Kind>(["string"]) : ANYTHING.kinds;
  return { kinds, optional: true, place: path, declaration: match.declaration };
}

/** The shape of a list's item; of a value that is no list, its own. */
function itemOf(shape: Shape): Shape {
  if (!shape.kinds.has("array")) return shape;
  if (shape.items === undefined) return ANYTHING;
  return { kinds: shape.items, optional: true, ...formed(shape) };
}

/** The shape of a value after a predicate, which may leave nothing of it. */
function filtered(shape: Shape): Shape {
  const item = itemOf(shape);
  return { kinds: item.kinds, optional: true, ...formed(item) };
}

function formed({ form }: Shape): Pick<Shape, "form"> {
  return form === undefined ? {} : { form };
}

/** The shape of a path step's results, given that the step runs for each item of `from`. */
function mapped(from: Shape, taken: Shape): Shape {
  if (from.kinds.has("array")) return ANYTHING;
  return { ...taken, optional: taken.optional || from.optional };
}

/** Variables that are bound in more than one place: the check does not follow which value counts where. */
function reboundVariables(ast: AstNode): ReadonlySet<string> {
  const bound = new Set<string>();
  const rebound = new Set<string>();
  walk(ast, (node) => {
    const names =
      node.type === "bind"
        ? [textOf(node.lhs as AstNode)]
        : node.type === "lambda"
          ? (node.arguments ?? []).map(textOf)
          : [];
    for (const name of names) (bound.has(name) ? rebound : bound).add(name);
  });
  return rebound;
}
