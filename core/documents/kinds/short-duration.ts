// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { SpecFault } from "../../../kernel/diagnostic.ts";
import { parseDurationMs } from "../../../kernel/duration.ts";

/** The shortest duration of a field that must not be 0, as Istio has it. */
const MIN_MS = 1;

/** The fault of a duration below 1 ms, for fields that need some time. */
export function shortDurationFaults(
  text: string | undefined,
  path: readonly (string | number)[],
): readonly SpecFault[] {
  if (text === undefined || (parseDurationMs(text) ?? MIN_MS) >= MIN_MS) return [];
  return [{ path, message: `${String(path.at(-1))} must be at least 1ms` }];
}
