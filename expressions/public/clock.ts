// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/**
 * Declared here because this room compiles without a platform's types; Node and every browser have this
 * object.
 */
declare const performance: { now(): number };

/** Wall clock for `$now()` and `$millis()`, in milliseconds since the epoch. */
export const wallMs = (): number => Date.now();

/** Monotonic clock for the time limit, in milliseconds since an arbitrary start. */
export const monotonicMs = (): number => performance.now();
