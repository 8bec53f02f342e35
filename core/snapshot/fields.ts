// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { ParsedDocument } from "../documents/document.ts";
import type { DocumentSet } from "../documents/set/document-set.ts";
import { HANDLER } from "../documents/kinds/handler.ts";
import { displayName } from "../documents/kinds/kind.ts";
import type { Expression } from "../expressions/expression.ts";
import { parseDurationMs } from "../../kernel/duration.ts";
import type { SourceLocation } from "../../kernel/diagnostic.ts";
import type { Computed, ComputedMap } from "./snapshot.ts";

/** An expression's source, or a literal, as documents write it. */
type Written = string | number | boolean;

/**
 * Turns the written fields of a document into what a snapshot carries. For a set without faults: every expression has
 * been compiled and every reference leads somewhere.
 */
export class Fields {
  readonly #expressions: ReadonlyMap<string, Expression>;
  readonly #set: DocumentSet;

  constructor(expressions: ReadonlyMap<string, Expression>, set: DocumentSet) {
    this.#expressions = expressions;
    this.#set = set;
  }

  named(document: ParsedDocument): { readonly name: string; readonly location: SourceLocation } {
    return { name: displayName(document.metadata), location: document.location };
  }

  expression(source: string): Expression {
    const expression = this.#expressions.get(source);
    if (expression === undefined) throw new Error(`An expression was not compiled: ${source}`);
    return expression;
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

  /** The display name of the Handler that a document in `namespace` calls `reference`. */
  handler(reference: string, { metadata }: ParsedDocument): string {
    const target = this.#set.resolve(HANDLER.kind, reference, metadata.namespace);
    if (target === undefined) throw new Error(`A reference was not resolved: ${reference}`);
    return displayName(target.metadata);
  }

  durationMs(written: string | undefined, defaultMs: number): number {
    return written === undefined ? defaultMs : (parseDurationMs(written) as number);
  }
}
