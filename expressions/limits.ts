// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/** The most that one evaluation may use before it is stopped, with JSONata's guard codes. */
export interface Limits {
  /** Nested evaluations, counted as JSONata counts them (D1011); undefined: as deep as JavaScript's stack. */
  readonly depth: number | undefined;
  /** Work (D1012): a step is a call, a turn of a loop, or as much other work as takes as long, about 0.1 µs. */
  readonly steps: number;
  /** Items of a sequence, and matches of a regular expression (D2015). */
  readonly sequence: number;
  /** Characters, items and properties of a text or of a value that is written out, together (D2015). */
  readonly weight: number;
  /** Milliseconds (D1012); undefined: the steps alone are the limit. */
  readonly timeMs: number | undefined;
}
