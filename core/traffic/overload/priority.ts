// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/** Number of priorities: 0 is shed last, 7 first. The scale is the urgency of RFC 9218, section 4.1. */
export const PRIORITIES = 8;

/** The priority of a request for which the document gives none: RFC 9218's default urgency. */
export const DEFAULT_PRIORITY = 3;

/**
 * The priority that an expression's value means: the nearest whole number from 0 to 7. Undefined for a value that is not a
 * number.
 */
export function priorityOf(value: unknown): number | undefined {
  if (typeof value !== "number" || Number.isNaN(value)) return undefined;
  return Math.min(PRIORITIES - 1, Math.max(0, Math.round(value)));
}
