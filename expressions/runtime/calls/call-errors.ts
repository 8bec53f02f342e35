// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { ExpressionError, type Token } from "../../errors/expression-error.ts";
import type { CallSite } from "./call-sites.ts";

/**
 * Errors of tail calls, until they leave the lambda that ended with the call. A WeakSet of errors, as a host
 * may throw any object.
 */
const afterLambdas = new WeakSet<object>();

/**
 * Whether an error that leaves a lambda was thrown by its tail call, which the reference makes after the
 * lambda has returned.
 */
export function lambdaEnded(error: unknown): boolean {
  return typeof error === "object" && error !== null && afterLambdas.delete(error);
}

/** Whether an error already has a position in the source. */
export function isLocated(error: unknown): boolean {
  const position =
    error instanceof RangeError ? undefined : (error as { position?: unknown } | null)?.position;
  return typeof position === "number" && position !== 0;
}

/** Sets the position of the outermost call and the token of the innermost call on the error of a function. */
export function located(error: unknown, site: CallSite): unknown {
  const { position, token, claims, inTail } = site;
  if (error instanceof RangeError)
    return error.message.includes("call stack")
      ? new ExpressionError("D1011", "the expression is nested too deeply", {
          position,
          ...(token === undefined ? {} : { token }),
        })
      : new ExpressionError("D2015", error.message, { position });
  if (typeof error !== "object" || error === null) return error;
  const failure = error as { position?: number | undefined; token?: Token | undefined };
  if (position !== 0) failure.position = position;
  if (claims === true) Object.assign(failure, { position, token });
  else if (failure.token === undefined && token !== undefined) failure.token = token;
  if (inTail === true) afterLambdas.add(failure);
  return error;
}
