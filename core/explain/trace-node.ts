// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/** One sub-expression with its values, as plain JSON. */
export interface TraceNode {
  /** The source text of the part, cut at a length. */
  readonly text: string;
  /** Start and end of its source, as offsets in UTF-16 units. */
  readonly start: number;
  readonly end: number;
  /**
   * `and`, `or`, `?`, `?:`, `??`, `=` and the other operators; otherwise the kind of node: `path`, `call`,
   * `literal` …
   */
  readonly kind: string;
  /** The first values of the part, as JSON text; `nothing` for no value. Limited in number and length. */
  readonly values: readonly string[];
  /**
   * Number of evaluations that gave a value: several within a filter, or in a function that is called
   * repeatedly.
   */
  readonly count: number;
  /** The part was never reached. */
  readonly skipped?: true;
  /** The part was reached and failed itself, not one of its children. */
  readonly failed?: true;
  /** The part determined the value of the whole expression. */
  readonly decides?: true;
  readonly children: readonly TraceNode[];
}

/** Bounds on one trace. */
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
