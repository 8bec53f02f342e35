// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Context, Middleware } from "koa";
import { errorBody, httpStatusOfError } from "../../api/json/error-body.ts";
import type { ErrorCode } from "../../kernel/error-catalog.ts";
import { isPurserError, messageOf, PurserError } from "../../kernel/errors.ts";
import type { Logger } from "../../kernel/ports.ts";
import { CHALLENGE } from "./surface-access.ts";

/** Seconds after which a client may repeat a call that was refused temporarily. */
export const RETRY_AFTER_S = "1";

/** The code of refusals that carry a challenge. */
export const UNAUTHENTICATED: ErrorCode = "PURSER_UNAUTHENTICATED";

/**
 * Format of error responses: `json` is the ErrorBody of api/; `text` is for surfaces that people read with
 * curl.
 */
export type ErrorFormat = "json" | "text";

/** Responds with an error; `status` is by default the error code's own. */
export type Refuse = (context: Context, error: PurserError, status?: number) => void;

export function refuseAs(format: ErrorFormat): Refuse {
  return (context, error, status = httpStatusOfError(error.code)) => {
    context.status = status;
    context.type = format;
    context.body = format === "json" ? errorBody(error) : textOf(error);
    if (error.retryable) context.set("Retry-After", RETRY_AFTER_S);
    if (error.code === UNAUTHENTICATED) context.set("WWW-Authenticate", CHALLENGE);
  };
}

/**
 * Turns every thrown value into an error response. Koa's own error handler would drop headers that are
 * already set, the request id among them.
 */
export function answerErrors(name: string, logger: Logger, refuse: Refuse): Middleware {
  return async (context, next) => {
    try {
      await next();
    } catch (error) {
      const request = { path: context.path, requestId: context.response.get("x-request-id") };
      refuse(context, codedError(error, { name, logger, ...request }));
    }
  };
}

/** The error of a reply. An error without a code is logged, and the reply refers to the log of the process. */
export function codedError(
  error: unknown,
  at: { readonly name: string; readonly logger: Logger; readonly path: string; readonly requestId: string },
): PurserError {
  if (isPurserError(error)) return error;
  const { name, logger, path, requestId } = at;
  logger.error("a request failed", { path, requestId, error: messageOf(error) });
  const message = `the request failed; the ${name}'s log says why`;
  return new PurserError("PURSER_INTERNAL", message, { cause: error });
}

function textOf({ code, message, remedy }: PurserError): string {
  return `${message} [${code}]\n${remedy}\n`;
}
