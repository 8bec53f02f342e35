// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { type AttributeManifest, mergeManifests } from "./manifest/manifest.ts";
import type { AttributeManifestSpec } from "./manifest/manifest-spec.ts";
import { checkExpression } from "./checker/check-expression.ts";
import type { ExpressionFinding, ExpressionUse, Purpose } from "./checker/finding.ts";
import { VARYING } from "./checker/function-types.ts";
import { mentionedVariables } from "./analysis/checks.ts";
import { compileAst } from "./compiler/compile-ast.ts";
import type { StaticReferences } from "./analysis/static-references.ts";
import { evaluationError } from "./errors/failures.ts";
import { staticReferences } from "./analysis/references.ts";
import { type Bindings, isAsync, Variables } from "./public/bindings.ts";
import { DEFAULT_LIMITS, type Limits } from "./public/limits.ts";
import { Guard } from "./runtime/guard.ts";
import { ExpressionError } from "./errors/expression-error.ts";
import { faultOfSize } from "./syntax/source-limits.ts";
import { monotonicMs, wallMs } from "./public/clock.ts";
import { createReference } from "./public/reference.ts";

export { ExpressionError } from "./errors/expression-error.ts";
export type { AttributeManifestSpec } from "./manifest/manifest-spec.ts";
export type { ExpressionFinding, Purpose } from "./checker/finding.ts";
export type { StaticReferences } from "./analysis/static-references.ts";
export type { Bindings } from "./public/bindings.ts";
export type { Limits } from "./public/limits.ts";

export interface ExpressionOptions {
  /**
   * What the input may hold, as the `spec` of an AttributeManifest says it, for `diagnostics`; default: nothing is known,
   * and nothing is checked.
   */
  readonly manifest?: AttributeManifestSpec;
  /** What becomes of the value, for `diagnostics`; default "any": not known. */
  readonly purpose?: Purpose;
  /** What is known when it is evaluated, for `diagnostics`; default "response": everything. */
  readonly phase?: "request" | "response";
  /**
   * Variables and functions by name, without the `$`, for every evaluation. A function may be async: the expression is
   * interpreted then.
   */
  readonly bindings?: Bindings;
  readonly limits?: Partial<Limits>;
}

export interface CompiledExpression {
  readonly source: string;
  /**
   * The expression's value for `input`, which is data as JSON has it: a value when `engine` is "compiled", a promise of
   * one when it is "interpreted". Bindings given here come before those of the options; one that takes the place of a
   * function which the expression calls, or is async, has this evaluation interpreted.
   *
   * @throws {ExpressionError} (or rejects with it), with JSONata's `code`, `position` and `token`.
   */
  readonly evaluate: (input: unknown, bindings?: Bindings) => unknown;
  readonly engine: "compiled" | "interpreted";
  /** Why it is interpreted; undefined when it is compiled. */
  readonly reason: string | undefined;
  /** What it can read of the input, found without running it. */
  readonly references: StaticReferences;
  /** False when its value depends on more than the input: `$now`, `$millis`, `$random`, `$shuffle`. */
  readonly cacheable: boolean;
  /** What is wrong, or risky, by the manifest; empty without one. */
  readonly diagnostics: readonly ExpressionFinding[];
}

/**
 * Compiles a JSONata expression to JavaScript. What cannot be compiled, such as `$eval`, is left to the `jsonata` package,
 * with the same results.
 *
 * @throws {ExpressionError} with JSONata's `code` (S0201 …), `position` and `token` for what is no expression, and with
 * D4101 for a regular expression that cannot be matched in linear time.
 * @throws {TypeError} for a manifest with an attribute that cannot be.
 */
export function compile(source: string, options: ExpressionOptions = {}): CompiledExpression {
  const manifest = options.manifest === undefined ? undefined : manifestOf(options.manifest);
  try {
    return compileParsed(source, options, manifest);
  } catch (error: unknown) {
    // A tree that is deeper than JavaScript's stack.
    throw evaluationError(error);
  }
}

/** Tokens that nested `??` and `?:` may copy, which takes about a second. */
const COPIED_TOKENS = 65_536;

function compileParsed(
  source: string,
  options: ExpressionOptions,
  manifest: AttributeManifest | undefined,
): CompiledExpression {
  const limits: Limits = { ...DEFAULT_LIMITS, ...options.limits };
  const tooBig = faultOfSize(source, { copies: COPIED_TOKENS });
  if (tooBig !== undefined) throw new ExpressionError("D1011", tooBig.message, { position: tooBig.offset });
  const bindings = options.bindings ?? {};
  const reference = createReference(source, limits);
  const { ast } = reference;
  const references = staticReferences(ast, source);
  const mentioned = mentionedVariables(ast);
  const common = {
    source,
    references,
    cacheable: ![...VARYING].some((name) => mentioned.has(name)),
    diagnostics:
      manifest === undefined ? [] : checkExpression({ source, references, ast }, useOf(options, manifest)),
  };
  const interpret = (input: unknown, given: Bindings = {}): Promise<unknown> =>
    reference.evaluate(input, { ...bindings, ...given });
  // What is compiled calls functions by what their names stood for then.
  let resolved: ReadonlySet<string> = new Set();
  const needsInterpreter = (given: Bindings): boolean =>
    Object.keys(given).some((name) => resolved.has(name) || isAsync(given[name]));
  const compiled = Object.values(bindings).some(isAsync)
    ? "a function that is bound is async"
    : compileAst<Variables, Bindings>(ast, {
        guard: new Guard({ ...limits, nowMs: wallMs, monotonicMs }),
        bound: new Set(Object.keys(bindings)),
        entry: {
          usual: new Variables(bindings, {}),
          environmentOf: (given) => (needsInterpreter(given) ? undefined : new Variables(bindings, given)),
          otherwise: interpret,
        },
      });
  if (typeof compiled === "string")
    return { ...common, engine: "interpreted", reason: compiled, evaluate: interpret };
  ({ resolved } = compiled);
  return { ...common, engine: "compiled", reason: undefined, evaluate: compiled.run };
}

function useOf(
  { purpose = "any", phase = "response" }: ExpressionOptions,
  manifest: AttributeManifest,
): ExpressionUse {
  return { purpose, phase, cached: phase === "request", manifest };
}

function manifestOf(spec: AttributeManifestSpec): AttributeManifest {
  const { manifest, faults } = mergeManifests([spec]);
  const [fault] = faults;
  if (fault !== undefined) throw new TypeError(`manifest: ${fault.message}`);
  return manifest;
}
