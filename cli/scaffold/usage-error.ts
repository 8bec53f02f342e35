// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { PurserError } from "../../kernel/errors.ts";

/** The error of a name, a flag or a folder that cannot be used. */
export function usage(message: string): PurserError {
  return new PurserError("PURSER_CLI_USAGE", message);
}
