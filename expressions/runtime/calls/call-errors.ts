// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { ExpressionError, type Token } from "../../errors/expression-error.ts";
import type { CallSite } from "./call-sites.ts";

/** Errors of calls with which a lambda ended, until they leave it. Weak, and by the error: a host may throw any object. */
const afterLambdas = new WeakSet<object>();

/** Whether an error that leaves a lambda came after it, in the reference's order. */
export function lambdaEnded(error: unknown): boolean {
  return typeof error === "object" && error !== null && afterLambdas.delete(error);
}

/** Whether an error already has its place in the source. */
export function isLocated(error: unknown): boolean {
  const position =
    error instanceof RangeError ? undefined : (error as { position?: unknown } | null)?.position;
  return typeof position === "number" && position !== 0;
}

/** The outermost call is where an error of a function is; its token is that of the innermost. */
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
