// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/**
 * Faults of a handler's code beside its answers:
 * - `exception`: thrown where nobody awaits it, such as in a timer.
 * - `rejection`: a promise that was rejected and that nobody awaits.
 * - `unsettled`: a call that did not settle within its deadline.
 * - `blocked`: a call that held the event loop for more than 50 ms.
 */
export type FaultKind = "exception" | "rejection" | "unsettled" | "blocked";
