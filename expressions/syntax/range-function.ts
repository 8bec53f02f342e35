// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/** The name of the function that replaces the `..` operator in a syntax tree; no expression can name it. */
export const RANGE_FUNCTION = "..";
