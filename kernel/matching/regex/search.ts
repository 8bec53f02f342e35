// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Meter } from "./meter.ts";

/** The searches that an engine of regular expressions gives for one pattern. */
export interface Search {
  /** Whether some part of `text` matches. `meter`, here and below, is told of the work as it is done. */
  test(text: string, meter?: Meter): boolean;
  /** The leftmost match at or after `from`, a whole number from 0 on, as JavaScript's own `exec` would give it; null when there is none. */
  find(text: string, from: number, meter?: Meter): RegexMatch | null;
}

/** Whether the whole of `text` matches. */
export type WholeMatch = (text: string, meter?: Meter) => boolean;

export interface RegexMatch {
  readonly index: number;
  /** The whole match, then each group; undefined for a group that took no part. */
  readonly groups: readonly [string, ...(string | undefined)[]];
}
