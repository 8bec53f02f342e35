// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/** Marks in the script's reply, in the place of a grant's first number, which is at most 2^53: see script.ts. */
export const REPLY_ERROR = 1e16;
export const REPLY_ANSWER = 2e16;
export const REPLY_SHAPE = 3e16;
