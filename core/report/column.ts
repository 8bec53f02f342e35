// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { plainPathOf } from "../../expressions/analysis/plain-path.ts";
import type { MaybePromise } from "../../kernel/maybe-promise.ts";
import { evaluate } from "../check/evaluation.ts";
import type { Expression } from "../expressions/expression.ts";
import type { Computed } from "../snapshot/snapshot.ts";
import type { ReportScope } from "./report-scope.ts";

/**
 * One value of a report document, prepared once per snapshot. Literals and paths of plain names, which most
 * labels and variables are, are read from the bag itself: the engine notes each read for the decision cache,
 * and a report has no use for notes.
 */
export class Column {
  readonly #literal: unknown;
  readonly #expression: Expression | undefined;
  readonly #names: readonly string[] | undefined;

  constructor(computed: Computed) {
    if (computed.kind === "literal") {
      this.#literal = computed.value;
      return;
    }
    const { expression } = computed;
    this.#expression = expression;
    const names = expression.ast === undefined ? undefined : plainPathOf(expression.ast);
    this.#names = names?.some((name) => name in INHERITED) === true ? undefined : names;
  }

  /** The value for the scope's bag, undefined when it has none, or a Fault. Never throws, never rejects. */
  read(scope: ReportScope): MaybePromise<unknown> {
    const expression = this.#expression;
    if (expression === undefined) return this.#literal;
    const names = this.#names;
    if (names === undefined) return evaluate(expression, scope);
    let value: unknown = scope.bag;
    for (let index = 0; index < names.length; index++) {
      if (typeof value !== "object" || value === null) return undefined;
      // A path over an array gives a sequence.
      if (Array.isArray(value)) return evaluate(expression, scope);
      value = (value as Readonly<Record<string, unknown>>)[names[index] as string];
    }
    // The engine copies objects, because an instance must share no part with the bag.
    return typeof value === "object" && value !== null ? evaluate(expression, scope) : value;
  }
}

/** Names that plain objects inherit, which must be absent: the engine looks at own properties alone. */
const INHERITED: object = Object.prototype;
