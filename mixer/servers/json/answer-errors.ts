// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Context, Middleware } from "koa";
import { errorBody, httpStatusOfError } from "../../../api/json/error-body.ts";
import { isPurserError, messageOf, PurserError } from "../../../kernel/errors.ts";
import type { Logger } from "../../../kernel/ports.ts";

/** When to come back after a refusal that passes, in seconds. */
const RETRY_AFTER_S = "1";

/**
 * Turns whatever was thrown into an ErrorBody. Koa's own handler would drop the headers that were set before, the
 * request id among them.
 */
export function answerErrors(logger: Logger): Middleware {
  return async (context, next) => {
    try {
      await next();
    } catch (error) {
      refuse(context, error, logger);
    }
  };
}

function refuse(context: Context, error: unknown, logger: Logger): void {
  if (!isPurserError(error)) {
    logger.error("a request failed", {
      path: context.path,
      requestId: context.response.get("x-request-id"),
      error: messageOf(error),
    });
  }
  const told = isPurserError(error)
    ? error
    : new PurserError("PURSER_INTERNAL", "the request failed; the mixer's log says why", { cause: error });
  context.status = httpStatusOfError(told.code);
  context.body = errorBody(told);
  if (told.retryable) context.set("Retry-After", RETRY_AFTER_S);
}
