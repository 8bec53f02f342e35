// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import jsonata from "jsonata";
import type { AttributeManifest } from "../core/attributes/manifest.ts";
import type { StaticReferences } from "../core/expressions/expression.ts";

export interface ExpressionOptions {
  readonly manifest?: AttributeManifest;
  /** Variables and functions by name, without the `$`, for every evaluation. */
  readonly bindings?: Readonly<Record<string, unknown>>;
  readonly limits?: {
    readonly depth?: number;
    readonly steps?: number;
    readonly sequence?: number;
    readonly timeMs?: number;
  };
}

export interface CompiledExpression {
  /** A value when `engine` is "compiled", a promise of one when it is "interpreted". */
  evaluate(input: unknown, bindings?: Readonly<Record<string, unknown>>): unknown;
  readonly engine: "compiled" | "interpreted";
  readonly references: StaticReferences;
  readonly cacheable: boolean;
  readonly diagnostics: readonly unknown[];
}

/** Compiles a JSONata expression. @throws an error with JSONata's `code`, `position` and `token`. */
export function compile(source: string, options: ExpressionOptions = {}): CompiledExpression {
  const { depth, sequence, timeMs } = options.limits ?? {};
  const parsed = jsonata(source, {
    ...(depth === undefined ? {} : { stack: depth }),
    ...(sequence === undefined ? {} : { sequence }),
    ...(timeMs === undefined ? {} : { timeout: timeMs }),
  } as jsonata.JsonataOptions);
  return {
    evaluate: (input, bindings) => parsed.evaluate(input, { ...options.bindings, ...bindings }),
    engine: "interpreted",
    references: { paths: [], exact: false },
    cacheable: false,
    diagnostics: [],
  };
}
