// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/**
 * How long, in milliseconds, and how often a proxy may reuse a decision when no document says otherwise; the values of
 * Mixer's proxies.
 */
export const DEFAULT_VALID_DURATION_MS = 10_000;
export const DEFAULT_VALID_USE_COUNT = 10_000;
