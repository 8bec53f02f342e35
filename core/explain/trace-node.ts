// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/** One sub-expression and what it gave, as plain JSON. */
export interface TraceNode {
  /** Its part of the source, cut at a length. */
  readonly text: string;
  /** Where that begins and ends, as offsets in UTF-16 units. */
  readonly start: number;
  readonly end: number;
  /** `and`, `or`, `?`, `?:`, `??`, `=` and the other operators; else what sort it is: `path`, `call`, `literal` … */
  readonly kind: string;
  /** The first values that it gave, as JSON text; `nothing` for no value. Few, and each cut at a length. */
  readonly values: readonly string[];
  /** How often it gave a value: more than once within a filter, or in a function that is called again and again. */
  readonly count: number;
  /** It was never reached. */
  readonly skipped?: true;
  /** It was reached and failed, by itself and not by a part of it. */
  readonly failed?: true;
  /** Its values are what made the whole expression give what it gave. */
  readonly decides?: true;
  readonly children: readonly TraceNode[];
}

/** What may be kept of one trace. */
export interface TraceLimits {
  /** Values of one sub-expression; default 3. */
  readonly values: number;
  /** Characters of one value; default 120. */
  readonly valueLength: number;
  /** Characters of one sub-expression's text; default 400. */
  readonly textLength: number;
  /** Sub-expressions of one expression; default 500. */
  readonly nodes: number;
  /** Sub-expressions within each other; default 40. */
  readonly depth: number;
}

export const DEFAULT_TRACE_LIMITS: TraceLimits = {
  values: 3,
  valueLength: 120,
  textLength: 400,
  nodes: 500,
  depth: 40,
};
