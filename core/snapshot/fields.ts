// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Expression } from "../expressions/expression.ts";
import { parseDurationMs } from "../../kernel/duration.ts";
import type { Computed, ComputedMap } from "./snapshot.ts";

/** An expression's source, or a literal, as documents write it. */
type Written = string | number | boolean;

/** Resolves the fields of one document. */
export interface FieldTargets {
  readonly expression: (source: string) => Expression;
  /** Display name of the Handler that the document refers to. */
  readonly handler: (reference: string) => string;
  /** Display name of the QuotaPolicy that the document refers to. */
  readonly quotaPolicy: (reference: string) => string;
}

/** Converts the written fields of a document to their compiled form. */
export class Fields {
  readonly #targets: FieldTargets;

  constructor(targets: FieldTargets) {
    this.#targets = targets;
  }

  expression(source: string): Expression {
    return this.#targets.expression(source);
  }

  optional(source: string | undefined): Expression | undefined {
    return source === undefined ? undefined : this.expression(source);
  }

  computed(written: Written): Computed {
    return typeof written === "string"
      ? { kind: "expression", expression: this.expression(written) }
      : { kind: "literal", value: written };
  }

  map(written: Readonly<Record<string, Written>> = {}): ComputedMap {
    return Object.entries(written).map(([key, value]) => [key, this.computed(value)] as const);
  }

  handler(reference: string): string {
    return this.#targets.handler(reference);
  }

  quotaPolicy(reference: string): string {
    return this.#targets.quotaPolicy(reference);
  }

  durationMs(written: string | undefined, defaultMs: number): number {
    return written === undefined ? defaultMs : (parseDurationMs(written) as number);
  }
}
