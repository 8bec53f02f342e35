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
   * The input's properties and their types, as the `spec` of an AttributeManifest, for `diagnostics`.
   * Default: no property is known, and `diagnostics` is empty.
   */
  readonly manifest?: AttributeManifestSpec;
  /** Use of the value, for `diagnostics`; default "any": unknown. */
  readonly purpose?: Purpose;
  /**
   * Phase in which the expression is evaluated, for `diagnostics`; default "response": all properties are
   * known.
   */
  readonly phase?: "request" | "response";
  /**
   * Variables and functions by name, without the `$`, for every evaluation. A function may be async: the
   * expression is then interpreted.
   */
  readonly bindings?: Bindings;
  readonly limits?: Partial<Limits>;
}

export interface CompiledExpression {
  readonly source: string;
  /**
   * The value of the expression for `input`, which is JSON data: a value when `engine` is "compiled", a
   * promise of a value when it is "interpreted". These bindings override those of the options. A binding that
   * is async, or replaces a function that the expression calls, makes the interpreter run this evaluation.
   *
   * @throws {ExpressionError} (or rejects with it), with JSONata's `code`, `position` and `token`.
   */
  readonly evaluate: (input: unknown, bindings?: Bindings) => unknown;
  readonly engine: "compiled" | "interpreted";
  /** The reason why the expression is interpreted; undefined when it is compiled. */
  readonly reason: string | undefined;
  /** Paths of the input that the expression can read, found without running it. */
  readonly references: StaticReferences;
  /** False when the value depends on more than the input: `$now`, `$millis`, `$random`, `$shuffle`. */
  readonly cacheable: boolean;
  /** The checker's findings against the manifest; empty without a manifest. */
  readonly diagnostics: readonly ExpressionFinding[];
}

/**
 * Compiles a JSONata expression to JavaScript. The `jsonata` package interprets an expression that cannot be
 * compiled, such as `$eval`, with the same results.
 *
 * @throws {ExpressionError} for a source that does not parse, with JSONata's `code` (S0201 …), `position` and
 *   `token`; and with D4101 for a regular expression that cannot be matched in linear time.
 * @throws {TypeError} for a manifest with an invalid attribute.
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
  // The names of functions that the code calls directly, as bound at compile time.
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

/** Tokens that nested `??` and `?:` may copy; compiling them takes about a second. */
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
