// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { ErrorCode } from "../kernel/error-catalog.ts";
import type { PurserError } from "../kernel/errors.ts";

/** The body of every answer with which a control surface (mixer or pilot) refuses a request. */
export interface ErrorBody {
  readonly error: {
    readonly code: ErrorCode;
    readonly message: string;
    /** What the reader can do about it. */
    readonly remedy: string;
  };
}

export function errorBody({ code, message, remedy }: PurserError): ErrorBody {
  return { error: { code, message, remedy } };
}

/** The statuses of the codes that control surfaces answer with; any other is the server's own fault: 500. */
const STATUS_OF: Partial<Readonly<Record<ErrorCode, number>>> = {
  PURSER_REQUEST_INVALID: 400,
  PURSER_REQUEST_TOO_LARGE: 413,
  PURSER_CONTENT_TYPE: 415,
  PURSER_HOST_FORBIDDEN: 403,
  PURSER_ORIGIN_FORBIDDEN: 403,
  PURSER_NOT_FOUND: 404,
  PURSER_METHOD_NOT_ALLOWED: 405,
  PURSER_OVERLOADED: 503,
  PURSER_DRAINING: 503,
  PURSER_MIXER_UNAVAILABLE: 503,
  PURSER_PILOT_UNAVAILABLE: 503,
};

export function httpStatusOfError(code: ErrorCode): number {
  return STATUS_OF[code] ?? 500;
}
