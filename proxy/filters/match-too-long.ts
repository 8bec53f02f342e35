// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { isPurserError } from "../../kernel/errors.ts";
import { errorReply, type LocalReply } from "../exchange/local-reply.ts";

/**
 * The local reply to a request that needs more regular expression steps than its budget has.
 *
 * @throws The error, if it is any other than PURSER_PROXY_MATCH_TOO_LONG.
 */
export function matchTooLongReply(error: unknown): LocalReply {
  if (!isPurserError(error) || error.code !== "PURSER_PROXY_MATCH_TOO_LONG") throw error;
  return errorReply("route_match_too_long");
}
