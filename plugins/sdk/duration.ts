// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { parseDurationMs } from "../../kernel/duration.ts";

/**
 * Milliseconds of a field made with `Duration`, whose schema accepts only durations.
 *
 * @throws TypeError for a text that no `Duration` field accepts.
 */
export function durationMs(text: string): number {
  const milliseconds = parseDurationMs(text);
  if (milliseconds === undefined) throw new TypeError(`"${text}" is not a duration such as 250ms or 1h30m`);
  return milliseconds;
}
