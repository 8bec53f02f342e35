// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { SourceLocation } from "../../kernel/diagnostic.ts";

/** Value of a descriptor's entry: a text, or an expression over the request. */
export type EntryValue =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "expression"; readonly source: string };

/** One entry of a descriptor, as an Envoy action makes it of a request. */
export interface Entry {
  readonly key: string;
  readonly value: EntryValue;
  /**
   * Expressions that are all true for the requests that have the entry. Each is true or false for any request,
   * never absent, when those before it are true.
   */
  readonly conditions: readonly string[];
}

/** A descriptor that Envoy sends for the requests for which all conditions are true. */
export interface Descriptor {
  readonly entries: readonly Entry[];
  /** Conditions besides those of the entries. */
  readonly conditions: readonly string[];
  /** Amount that one request uses. */
  readonly amount: number;
  /** Number of the list of actions: descriptors of one list exclude each other. */
  readonly list: number;
  readonly location: SourceLocation;
}

/** A text as a literal of an expression. */
export function literal(text: string): string {
  return JSON.stringify(text);
}

/** The negation of a condition. */
export function negated(condition: string): string {
  return `$not(${condition})`;
}

/** One condition for all of these. */
export function all(conditions: readonly string[]): string {
  return [...new Set(conditions)].join(" and ");
}
