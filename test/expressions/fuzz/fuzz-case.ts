// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import fc from "fast-check";
import { Draw } from "./draw.ts";
import { drawExpression } from "./grammar/expression.ts";
import { drawInput, type Json, smallerInputs } from "./input.ts";
import { smallerTrees, type Tree } from "./tree.ts";

/** One expression, compiled once and evaluated on each input in turn. */
export interface FuzzCase {
  readonly expression: Tree;
  readonly inputs: readonly Json[];
}

const INPUTS_PER_EXPRESSION = 6;

class FuzzCases extends fc.Arbitrary<FuzzCase> {
  override generate(random: fc.Random): fc.Value<FuzzCase> {
    const draw = new Draw(random);
    const expression = drawExpression(draw);
    const inputs = draw.times(INPUTS_PER_EXPRESSION, INPUTS_PER_EXPRESSION, () => drawInput(draw));
    return new fc.Value({ expression, inputs }, undefined);
  }

  override canShrinkWithoutContext(value: unknown): value is FuzzCase {
    return typeof value === "object" && value !== null && "expression" in value && "inputs" in value;
  }

  override shrink(value: FuzzCase): fc.Stream<fc.Value<FuzzCase>> {
    return fc.stream(smallerCases(value)).map((smaller) => new fc.Value(smaller, undefined));
  }
}

export const fuzzCases: fc.Arbitrary<FuzzCase> = new FuzzCases();

function* smallerCases({ expression, inputs }: FuzzCase): Generator<FuzzCase> {
  if (inputs.length > 1) {
    for (const input of inputs) yield { expression, inputs: [input] };
    for (let index = 0; index < inputs.length; index++)
      yield { expression, inputs: inputs.toSpliced(index, 1) };
  }
  for (const smaller of smallerTrees(expression)) yield { expression: smaller, inputs };
  for (const [index, input] of inputs.entries())
    for (const smaller of smallerInputs(input)) yield { expression, inputs: inputs.with(index, smaller) };
}
