// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/** The room is compiled without a platform's types; Node and every browser have this object. */
declare const performance: { now(): number };

/** The time, in milliseconds since the epoch, for `$now()` and `$millis()`. */
export const wallMs = (): number => Date.now();

/** Milliseconds since an arbitrary start, for the limit of time. */
export const monotonicMs = (): number => performance.now();
