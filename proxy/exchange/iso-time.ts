// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

let lastMs = Number.NaN;
let lastText = "";

/**
 * The time as ISO 8601 text. The text of the last millisecond is kept: at 40,000 requests a second, 40
 * requests share it, and making it takes 500 ns.
 *
 * @param epochMs Milliseconds since the Unix epoch.
 */
export function isoTimeOf(epochMs: number): string {
  if (epochMs === lastMs) return lastText;
  lastText = new Date(epochMs).toISOString();
  lastMs = epochMs;
  return lastText;
}
