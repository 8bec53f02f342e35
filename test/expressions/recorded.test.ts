// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import fc from "fast-check";
import type { AttributeBag } from "../../core/attributes/bag.ts";
import { Reads } from "../../expressions/runtime/reads/reads.ts";
import type { AttributeReference } from "../../expressions/runtime/reads/reference.ts";
import type { Expression } from "../../core/expressions/expression.ts";
import { compileWithJsonata } from "../../core/expressions/jsonata-engine.ts";
import { compile } from "../../expressions/index.ts";
import { fuzzCases } from "./fuzz/fuzz-case.ts";
import { inputText } from "./fuzz/input.ts";
import { render } from "./fuzz/tree.ts";

const EXPRESSIONS = 3_000;
const SEED = 20_261_127;

/** Functions whose results vary between evaluations, and times that a picture gives only in part. */
const VARYING = /\$(?:now|millis|random|shuffle|toMillis|fromMillis)\b/;
/**
 * Codes of the narrower limits of documents, and of JavaScript's own error where an object stands for a text.
 */
const OTHER_CODES: ReadonlySet<unknown> = new Set(["D1011", "D1012", "D2015", "UNKNOWN"]);

const FUNCTION = "[a function]";

interface Drawn {
  readonly source: string;
  readonly expression: Expression;
  readonly bags: readonly AttributeBag[];
}

/** Random expressions that compile for documents, with those of their inputs that can be bags. */
function drawn(): readonly Drawn[] {
  return fc
    .sample(fuzzCases, { seed: SEED, numRuns: EXPRESSIONS })
    .flatMap(({ expression: tree, inputs }) => {
      const source = render(tree);
      const result = compileWithJsonata(source);
      if (VARYING.test(source) || !result.ok || result.expression.engine !== "compiled") return [];
      const bags = inputs.flatMap((input) => bagOf(inputText(input)));
      return [{ source, expression: result.expression, bags }];
    });
}

/**
 * The input as a bag, with sorted keys like those that expressions see; none for an input that JSON cannot
 * represent or that sets a prototype.
 */
function bagOf(text = "null"): readonly AttributeBag[] {
  if (/-0\b|__proto__/.test(text)) return [];
  const bag: unknown = inOrder(JSON.parse(text));
  return typeof bag === "object" && bag !== null && !Array.isArray(bag) ? [bag as AttributeBag] : [];
}

function inOrder(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inOrder);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([name, member]) => [name, inOrder(member)]));
}

function outcomeOf(evaluate: () => unknown): { readonly value?: string; readonly code?: unknown } {
  try {
    const value = JSON.stringify(evaluate(), (_, member: unknown) =>
      typeof member === "function" ? FUNCTION : member,
    );
    return { value: value ?? "nothing" };
  } catch (error: unknown) {
    return { code: (error as { code?: unknown }).code };
  }
}

function evaluateRecorded({ expression }: Drawn, bag: AttributeBag) {
  const reads = new Reads(bag);
  const outcome = outcomeOf(() => expression.evaluate(bag, { nowMs: 0, reads }));
  return { outcome, references: reads.references() };
}

/** A bag that agrees with `bag` in all references and differs everywhere else. */
function otherwise(
  value: unknown,
  path: readonly string[],
  references: readonly AttributeReference[],
): unknown {
  const here = references.filter(
    (reference) => isPrefix(reference.path, path) && reference.path.length === path.length,
  );
  if (here.some(({ condition }) => condition === "EXACT")) return value;
  const below = references.filter(
    (reference) => isPrefix(path, reference.path) && reference.path.length > path.length,
  );
  if (typeof value !== "object" || value === null || Array.isArray(value))
    return below.length > 0 || here.length > 0 ? value : "other";
  if (path.length > 0 && here.length === 0 && below.length === 0) return "other";
  const members = Object.entries(value).map(([name, member]) => [
    name,
    otherwise(member, [...path, name], references),
  ]);
  const isRead = below.some((reference) => reference.path[path.length] === "other");
  return Object.fromEntries(isRead ? members : [...members, ["other", 1]]);
}

function isPrefix(path: readonly string[], of: readonly string[]): boolean {
  return path.length <= of.length && path.every((name, index) => of[index] === name);
}

describe("an expression evaluated on a request", () => {
  const all = drawn();

  it("gives its value on the same plain data", () => {
    let compared = 0;
    for (const example of all) {
      const free = compile(example.source);
      if (free.engine !== "compiled") continue;
      for (const bag of example.bags) {
        const { outcome } = evaluateRecorded(example, bag);
        if (OTHER_CODES.has(outcome.code)) continue;
        const data = outcomeOf(() => free.evaluate(structuredClone(bag)));
        // A function is not a value of a document's expression.
        if (/\[a function\]|_jsonata_(?:lambda|function)/.test(data.value ?? "")) continue;
        assert.deepEqual(outcome, data, `${example.source}\non ${JSON.stringify(bag)}`);
        compared++;
      }
    }
    assert.ok(compared > EXPRESSIONS / 2, `${compared} were compared`);
  });

  it("depends on no value outside its recorded references", () => {
    let others = 0;
    for (const example of all) {
      for (const bag of example.bags) {
        const { outcome, references } = evaluateRecorded(example, bag);
        const other = inOrder(otherwise(bag, [], references)) as AttributeBag;
        assert.deepEqual(
          evaluateRecorded(example, other).outcome,
          outcome,
          `${example.source}\non ${JSON.stringify(bag)}\nread ${JSON.stringify(references)}`,
        );
        if (JSON.stringify(other) !== JSON.stringify(bag)) others++;
      }
    }
    assert.ok(others > EXPRESSIONS, `${others} requests were other ones`);
  });
});
