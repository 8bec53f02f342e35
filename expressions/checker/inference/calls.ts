// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { type AstNode, textOf } from "../../syntax/ast.ts";
import { checkMeaning } from "./call-meaning.ts";
import { FUNCTION_TYPES, isStrict, requiredArguments } from "../../functions/function-facts.ts";
import { FUNCTIONS } from "../../functions/functions.ts";
import type { Inferred } from "./inferred.ts";
import { always, ANYTHING, isOnly, nounOf, overlap, type Shape } from "./kinds.ts";
import type { FunctionChecks } from "../../functions/definition.ts";
import type { FunctionType, Kind, ParameterType } from "../../functions/function-type.ts";
import { checkTruth } from "./logic.ts";
import { formOfCall } from "../forms/form-of.ts";
import { oneOf } from "../forms/words.ts";
import { type Operand, testOfCall } from "./text-tests.ts";

interface CallValues {
  /** The arguments in the brackets. */
  readonly values: readonly Shape[];
  /** The arguments before the brackets: `a ~> $f(b)` has one, `a`. */
  readonly given: readonly Shape[];
  readonly context: Shape;
}

/** The shape of a call's result. Checks the arguments against the function's signature (T0410, T0412). */
export function shapeOfCall(node: AstNode, call: CallValues, inference: Inferred): Shape {
  const procedure = node.procedure as AstNode;
  const name = textOf(procedure);
  const type = FUNCTION_TYPES.get(name);
  if (type === undefined) return ANYTHING;
  if (FUNCTIONS.get(name)?.varies !== undefined && inference.use.cached) {
    inference.findings.add(procedure, {
      code: "PURSER_EXPR_UNCACHED",
      severity: "warning",
      message: `$${name}() makes a decision good for one request only, so that no proxy can keep it`,
    });
  }
  const shapes = [...call.given, ...call.values];
  const fromContext = shapes.length < requiredArguments(type) && type.parameters[0]?.contextual === true;
  if (fromContext) shapes.unshift(call.context);
  const nodes = (node.arguments ?? []) as readonly AstNode[];
  const offset = shapes.length - nodes.length;
  const misses = fromContext && !overlap(call.context.kinds, type.parameters[0]?.kinds ?? new Set());
  const counted = checkCount(node, name, type, misses ? shapes.length - 1 : shapes.length, inference);
  for (const [index, shape] of counted ? shapes.entries() : []) {
    const parameter = type.parameters[index] ?? type.parameters.at(-1);
    const argument = nodes[index - offset];
    if (parameter !== undefined) checkArgument(argument ?? node, name, parameter, shape, inference);
  }
  const operands = shapes.map((shape, index): Operand => {
    const argument = nodes[index - offset];
    return argument === undefined ? { shape } : { shape, node: argument };
  });
  const test = counted ? testOfCall(node, name, operands) : undefined;
  if (test !== undefined) inference.tests.set(node, test);
  const { meaning, members, text } = FUNCTIONS.get(name)?.checks ?? {};
  if (counted) checkMeaning(node, name, operands, inference);
  if (meaning === "negation" && nodes[0] !== undefined && shapes[0] !== undefined)
    checkTruth(nodes[0], shapes[0], inference);
  const strict = isStrict(name) && shapes[0]?.optional === true;
  const [first, ...others] = shapes;
  const form = formOfCall(text, { form: first?.form, constants: others.map(({ constant }) => constant) });
  const items = type.resultItems;
  return {
    kinds: type.result,
    optional: type.resultOptional || strict,
    ...(members === undefined ? {} : { members: shapesOf(members) }),
    ...(form === undefined ? {} : { form }),
    ...(items === undefined ? {} : { items }),
  };
}

function shapesOf(members: FunctionChecks["members"] & {}): ReadonlyMap<string, Shape> {
  return new Map(
    Object.entries(members).map(([name, member]) => [
      name,
      typeof member === "string" ? always(member) : { ...always("string"), form: oneOf(member) },
    ]),
  );
}

function checkCount(
  node: AstNode,
  name: string,
  type: FunctionType,
  count: number,
  { findings }: Inferred,
): boolean {
  const [fewest, most] = [requiredArguments(type), type.parameters.length];
  const endless = type.parameters.some(({ repeated }) => repeated);
  if (count >= fewest && (count <= most || endless)) return true;
  const range = fewest === most ? String(most) : `${fewest} to ${most}`;
  findings.add(node, {
    code: "PURSER_EXPR_ARGUMENT",
    severity: "error",
    message: `$${name} takes ${range} arguments and is given ${count} (${count === fewest - 1 && type.parameters[0]?.contextual === true ? "T0411" : "T0410"})`,
  });
  return false;
}

function checkArgument(
  node: AstNode,
  name: string,
  parameter: ParameterType,
  shape: Shape,
  { findings }: Inferred,
): void {
  const { items } = parameter;
  const kinds = shape.kinds.has("array") ? (shape.items ?? new Set<Kind>()) : shape.kinds;
  const fits =
    items === undefined ? overlap(shape.kinds, parameter.kinds) : kinds.size === 0 || overlap(kinds, items); // One value is as good as a list of one.
  if (fits) return;
  const text = findings.textOf(node);
  const needed =
    items === undefined ? nounOf(parameter.kinds) : `a list of ${[...items].map(pluralOf).join(" or ")}`;
  const conversion = conversionTo(items ?? parameter.kinds, shape);
  findings.add(node, {
    code: "PURSER_EXPR_ARGUMENT",
    severity: "error",
    message: `$${name} takes ${needed} here, and ${text} is ${nounOf(shape.kinds)} (${items === undefined ? "T0410" : "T0412"})`,
    ...(conversion === undefined ? {} : { suggestion: `${conversion}(${text})` }),
  });
}

function pluralOf(kind: Kind): string {
  return kind === "string" ? "texts" : `${kind}s`;
}

function conversionTo(kinds: ReadonlySet<Kind>, shape: Shape): string | undefined {
  if (
    kinds.has("number") &&
    isOnly(shape, "string") &&
    shape.constant === undefined &&
    shape.form?.numeric !== false
  )
    return "$number";
  return kinds.has("string") && isOnly(shape, "number") ? "$string" : undefined;
}
