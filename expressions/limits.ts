// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/** Limits of an evaluation. Exceeding one stops it with JSONata's guard code. */
export interface Limits {
  /** Nested evaluations, counted as JSONata counts them (D1011); undefined: as deep as JavaScript's stack. */
  readonly depth: number | undefined;
  /** Work (D1012), in steps: a step is a call, a turn of a loop, or other work of about 0.1 µs. */
  readonly steps: number;
  /** Items of a sequence, and matches of a regular expression (D2015). */
  readonly sequence: number;
  /** Characters, items and properties, together, of a text or of a serialised value (D2015). */
  readonly weight: number;
  /** Milliseconds (D1012); undefined: only the steps are limited. */
  readonly timeMs: number | undefined;
}
