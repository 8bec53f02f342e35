// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/** Codes of google.rpc.Code that the stand-in answers, with their number and HTTP status (google/rpc/code.proto). */
const CODES = {
  INVALID_ARGUMENT: [3, 400],
  NOT_FOUND: [5, 404],
  ALREADY_EXISTS: [6, 409],
  PERMISSION_DENIED: [7, 403],
  RESOURCE_EXHAUSTED: [8, 429],
  INTERNAL: [13, 500],
  UNAVAILABLE: [14, 503],
  UNAUTHENTICATED: [16, 401],
} as const;

export type RpcCode = keyof typeof CODES;

/** A refusal, as a google.rpc.Status. */
export class RpcError extends Error {
  readonly code: RpcCode;
  readonly details: readonly object[];

  constructor(code: RpcCode, message: string, details: readonly object[] = []) {
    super(message);
    this.code = code;
    this.details = details;
  }

  get number(): number {
    return CODES[this.code][0];
  }

  get httpStatus(): number {
    return CODES[this.code][1];
  }

  /** The body of the answer. */
  toJSON(): unknown {
    const { code, message, details, httpStatus } = this;
    return {
      error: { code: httpStatus, message, status: code, ...(details.length === 0 ? {} : { details }) },
    };
  }
}

export function invalid(message: string): RpcError {
  return new RpcError("INVALID_ARGUMENT", message);
}

/** The error of a wrong field, in the services' words. */
export function invalidField(path: string, why: string): RpcError {
  return invalid(`Field ${path} had an invalid value: ${why}`);
}
