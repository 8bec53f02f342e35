// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { ExpressionError } from "./expression-error.ts";

/** JSONata's code for a value that exceeds a size limit. */
export const TOO_LARGE = "D2015";

export function tooLarge(what: string): ExpressionError {
  return new ExpressionError(TOO_LARGE, what);
}
