// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/**
 * The scheme in `x-forwarded-proto`. In a list the last entry counts, which the nearest proxy wrote.
 * WebSocket schemes become those of their HTTP requests.
 *
 * @returns undefined for any other text.
 */
export function canonicalScheme(text: string): "http" | "https" | undefined {
  const last = text
    .slice(text.lastIndexOf(",") + 1)
    .trim()
    .toLowerCase();
  if (last === "http" || last === "ws") return "http";
  return last === "https" || last === "wss" ? "https" : undefined;
}
