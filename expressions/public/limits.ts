// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/** What one evaluation may use before it is stopped, with JSONata's guard codes. */
export interface Limits {
  /** Nested evaluations, counted as JSONata counts them (D1011); default: as deep as JavaScript's stack. */
  readonly depth: number | undefined;
  /**
   * Work (D1012): a step is a call, a turn of a loop, or as much work of a function or a regular expression as takes as long,
   * about 0.1 µs; default 20,000,000, some two seconds.
   */
  readonly steps: number;
  /** Items of a sequence (D2015); default 10,000,000, the most that JSONata's ranges have. */
  readonly sequence: number;
  /** Characters, items and properties of a text or of a value that is written out (D2015); default 64 Mi. */
  readonly weight: number;
  /** Milliseconds (D1012); default: no limit but that of the steps. */
  readonly timeMs: number | undefined;
}

export const DEFAULT_LIMITS: Limits = {
  depth: undefined,
  steps: 20_000_000,
  sequence: 10_000_000,
  weight: 67_108_864,
  timeMs: undefined,
};
