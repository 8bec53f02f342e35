// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

export const CHANGES = ["newly-denied", "newly-allowed", "other-status", "faults", "fixed-faults"] as const;

/** How an outcome differs from the earlier one. */
export type Change = (typeof CHANGES)[number];
