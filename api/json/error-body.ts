// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import Type from "typebox";
import type { ErrorCode } from "../../kernel/error-catalog.ts";
import { PurserError } from "../../kernel/errors.ts";
import { createDecoder } from "./schema/decoder.ts";
import { exactly } from "./schema/exactly.ts";
import { Code, Text } from "./schema/fields.ts";
import { invalidRequest } from "./faults.ts";

/** The body of every refusal by a control surface (mixer or pilot). */
export interface ErrorBody {
  readonly error: {
    readonly code: ErrorCode;
    readonly message: string;
    /** The remedy: an action of the reader. */
    readonly remedy: string;
  };
}

export function errorBody({ code, message, remedy }: PurserError): ErrorBody {
  return { error: { code, message, remedy } };
}

export const ErrorBodySchema = exactly<ErrorBody>()(
  Type.Object({ error: Type.Object({ code: Code, message: Text, remedy: Text }) }),
);

const decode = createDecoder(ErrorBodySchema, invalidRequest);

/**
 * The error in the body of a refusal; undefined when the body is not an ErrorBody, because another server
 * answered, such as a load balancer.
 */
export function errorOfBody(text: string): PurserError | undefined {
  try {
    const { code, message } = decode(JSON.parse(text)).error;
    return new PurserError(code, message);
  } catch {
    return undefined;
  }
}

/** HTTP statuses of the codes in refusals; other codes are internal errors: 500. */
const STATUS_OF: Partial<Readonly<Record<ErrorCode, number>>> = {
  PURSER_REQUEST_INVALID: 400,
  PURSER_REQUEST_TOO_LARGE: 413,
  PURSER_CONTENT_TYPE: 415,
  PURSER_UNAUTHENTICATED: 401,
  PURSER_HOST_FORBIDDEN: 403,
  PURSER_ORIGIN_FORBIDDEN: 403,
  PURSER_NOT_FOUND: 404,
  PURSER_METHOD_NOT_ALLOWED: 405,
  PURSER_STORE_UNAVAILABLE: 503,
  PURSER_QUOTA_VIEW_UNSUPPORTED: 501,
  PURSER_QUOTA_ADJUSTMENTS_FULL: 409,
  PURSER_OVERLOADED: 503,
  PURSER_DRAINING: 503,
  PURSER_MIXER_UNAVAILABLE: 503,
  PURSER_PILOT_UNAVAILABLE: 503,
  PURSER_IDENTITY_UNAVAILABLE: 503,
  PURSER_IDENTITY_TOKEN: 403,
  PURSER_IDENTITY_UNAUTHENTICATED: 401,
  PURSER_IDENTITY_REVOKED: 403,
  PURSER_IDENTITY_REQUEST: 400,
  PURSER_IDENTITY_SIGNER: 500,
  PURSER_IDENTITY_STATE: 500,
  PURSER_IDENTITY_ROTATION: 409,
  PURSER_IDENTITY_FULL: 409,
};

export function httpStatusOfError(code: ErrorCode): number {
  return STATUS_OF[code] ?? 500;
}
