// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { findFault } from "../../expressions/analysis/checks.ts";
import { createEngine, type Engine } from "../../expressions/engine.ts";
import type { ExpressionFault } from "../../expressions/errors/expression-error.ts";
import type { Limits } from "../../expressions/limits.ts";
import { Reads } from "../../expressions/runtime/reads/reads.ts";
import type { Tracer } from "../../expressions/tracing/traced-expression.ts";
import type { CompileExpression } from "./expression.ts";
import { REQUEST_LIMITS, SOURCE_LIMITS } from "./limits.ts";

/**
 * The compiler of the documents' expressions. An evaluation stays within `limits`, sees only the time of its
 * context, and gives plain values.
 * @param limits Default for each limit: REQUEST_LIMITS.
 * @param monotonicMs Monotonic clock, in milliseconds. Without it, steps alone limit an evaluation.
 */
export function createJsonataCompiler(
  limits: Partial<Limits> = {},
  monotonicMs?: () => number,
): CompileExpression {
  const engine = documentEngine({ ...REQUEST_LIMITS, ...limits }, monotonicMs);
  return (source) => {
    const result = engine.parse(source);
    if (!result.ok) return result;
    const { program } = result;
    const { engine: kind, evaluate, keyTests } = program.recorded();
    const { references, cacheable, ast } = program;
    return {
      ok: true,
      expression: {
        source,
        engine: kind,
        references,
        cacheable,
        keyTests,
        evaluate: (bag, { nowMs, reads = new Reads(bag) }) => evaluate(bag, reads, nowMs),
        ...(kind === "compiled" ? { ast } : {}),
      },
    };
  };
}

/** The documents' compiler with the limits of a request. */
export const compileWithJsonata: CompileExpression = createJsonataCompiler();

/**
 * Traces the documents' expressions with their functions. A trace is interpreted, and the interpreter takes
 * 30 steps for a node where compiled code takes one or two: a trace may take twice the steps of a request,
 * about 50 ms.
 */
export function createTracer(limits: Partial<Limits> = {}): Tracer {
  return documentEngine({ ...REQUEST_LIMITS, steps: 2 * REQUEST_LIMITS.steps, ...limits }).tracer();
}

function documentEngine(limits: Limits, monotonicMs?: () => number): Engine<ExpressionFault> {
  return createEngine({
    limits,
    monotonicMs,
    sourceLimits: SOURCE_LIMITS,
    nowMs: () => 0,
    restricted: true,
    refusals: { ofSize: (fault) => fault, ofSyntax: (_thrown, fault) => fault(), ofMeaning: findFault },
  });
}
