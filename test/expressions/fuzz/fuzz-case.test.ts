// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import fc from "fast-check";
import { prepareReference } from "../suite/outcome.ts";
import { type FuzzCase, fuzzCases } from "./fuzz-case.ts";
import { inputText } from "./input.ts";
import { render } from "./tree.ts";

describe("the cases of the fuzzer", () => {
  const drawn = (seed: number) => fc.sample(fuzzCases, { seed, numRuns: 300 });
  const written = (seed: number) =>
    drawn(seed).map(({ expression, inputs }) => [render(expression), inputs.map(inputText)]);

  it("are equal for equal seeds, and differ for different seeds", () => {
    assert.deepEqual(written(1), written(1));
    assert.notDeepEqual(written(1), written(2));
  });

  it("mostly parse", () => {
    const sources = drawn(3).map(({ expression }) => render(expression));
    const parsed = sources.filter((source) => prepareReference(source).engine !== undefined);
    assert.ok(parsed.length > sources.length * 0.8, `${parsed.length} of ${sources.length} parse`);
  });

  it("never grow by shrinking", () => {
    const lengthOf = ({ expression, inputs }: FuzzCase) =>
      render(expression).length + inputs.map((input) => inputText(input) ?? "").join("").length;
    let shrinks = 0;
    for (const whole of drawn(4).slice(0, 5)) {
      const length = lengthOf(whole);
      for (const { value } of fuzzCases.shrink(whole, undefined).take(200)) {
        shrinks++;
        assert.ok(lengthOf(value) <= length, `${render(value.expression)} of ${render(whole.expression)}`);
      }
    }
    assert.ok(shrinks > 100);
  });
});
