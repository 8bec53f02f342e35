// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { checkExpression } from "./checker/check-expression.ts";
import type { ExpressionFinding, ExpressionUse, Purpose } from "./checker/finding.ts";
import type { StaticReferences } from "./analysis/static-references.ts";
import { createEngine } from "./engine.ts";
import type { Limits } from "./limits.ts";
import { type AttributeManifest, mergeManifests } from "./manifest/manifest.ts";
import type { AttributeManifestSpec } from "./manifest/manifest-spec.ts";
import { type Bindings, isAsync, Variables } from "./public/bindings.ts";
import { monotonicMs, wallMs } from "./public/clock.ts";
import { copyOfData } from "./public/data-copy.ts";
import { DEFAULT_LIMITS } from "./public/limits.ts";
import { REFUSALS } from "./public/refusals.ts";

export { ExpressionError } from "./errors/expression-error.ts";
export type { AttributeManifestSpec } from "./manifest/manifest-spec.ts";
export type { ExpressionFinding, Purpose } from "./checker/finding.ts";
export type { StaticReferences } from "./analysis/static-references.ts";
export type { Bindings } from "./public/bindings.ts";
export type { Limits } from "./limits.ts";

export interface ExpressionOptions {
  /**
   * The input's properties and their types, as the `spec` of an AttributeManifest, for `diagnostics`; default: nothing is known,
   * and nothing is checked.
   */
  readonly manifest?: AttributeManifestSpec;
  /** Use of the value, for `diagnostics`; default "any": not known. */
  readonly purpose?: Purpose;
  /** Phase in which the expression is evaluated, for `diagnostics`; default "response": all properties are known. */
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
  /** Paths of the input that the expression can read, found without running it. */
  readonly references: StaticReferences;
  /** False when its value depends on more than the input: `$now`, `$millis`, `$random`, `$shuffle`. */
  readonly cacheable: boolean;
  /** Findings of the checker by the manifest; empty without one. */
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
  const engine = createEngine({
    limits: { ...DEFAULT_LIMITS, ...options.limits },
    sourceLimits: { copies: COPIED_TOKENS },
    nowMs: wallMs,
    monotonicMs,
    refusals: REFUSALS,
  });
  const result = engine.parse(source);
  if (!result.ok) throw result.fault;
  const { program } = result;
  const { references, cacheable } = program;
  const diagnostics = manifest === undefined ? [] : checkExpression(program, useOf(options, manifest));
  const common = { source, references, cacheable, diagnostics };
  const bindings = options.bindings ?? {};
  const interpret = (input: unknown, given: Bindings = {}): Promise<unknown> =>
    program.interpret(copyOfData(input), { bindings: copyOfData({ ...bindings, ...given }) });
  // The code calls functions by what their names stood for when it was written.
  let resolved: ReadonlySet<string> = new Set();
  const needsInterpreter = (given: Bindings): boolean =>
    Object.keys(given).some((name) => resolved.has(name) || isAsync(given[name]));
  const compiled = Object.values(bindings).some(isAsync)
    ? "a function that is bound is async"
    : program.direct<Variables, Bindings>(new Set(Object.keys(bindings)), {
        usual: new Variables(bindings, {}),
        environmentOf: (given) => (needsInterpreter(given) ? undefined : new Variables(bindings, given)),
        otherwise: interpret,
      });
  if (typeof compiled === "string")
    return { ...common, engine: "interpreted", reason: compiled, evaluate: interpret };
  ({ resolved } = compiled);
  return { ...common, engine: "compiled", reason: undefined, evaluate: compiled.run };
}

/** Tokens that nested `??` and `?:` may copy, which takes about a second. */
const COPIED_TOKENS = 65_536;

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
