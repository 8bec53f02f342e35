// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { PurserError } from "../../kernel/errors.ts";
import type { Operation } from "../../api/json/operations/operation.ts";

/**
 * The header field with the token of a request to `/auth`, in lower case. `Authorization` is the client's there, and policies may
 * read it.
 */
export const FORWARDED_TOKEN_FIELD = "x-purser-token";

/** The value of WWW-Authenticate in a 401 (RFC 9110, section 11.6.1; RFC 6750, section 3). */
export const CHALLENGE = 'Bearer realm="purser"';

/** The bearer tokens that a surface accepts. They can be replaced while it runs. */
export class BearerTokens {
  #digests: readonly Buffer[];

  constructor(tokens: readonly string[]) {
    this.#digests = tokens.map(digestOf);
  }

  replace(tokens: readonly string[]): void {
    this.#digests = tokens.map(digestOf);
  }

  /**
   * Whether a token is accepted. The time depends on the number of accepted tokens and on the length of this one, and not on how
   * many characters agree: digests of one length are compared, and each of them is.
   */
  has(token: string): boolean {
    const digest = digestOf(token);
    let isKnown = false;
    for (const each of this.#digests) if (timingSafeEqual(each, digest)) isKnown = true;
    return isKnown;
  }
}

function digestOf(token: string): Buffer {
  return createHash("sha256").update(token).digest();
}

/** Who may use a control surface. With several conditions, a request must meet each. */
export interface SurfaceAccess {
  /** Tokens, one of which every request must bear; default: none is asked for. */
  readonly tokens?: BearerTokens | undefined;
  /** Whether every request must come over a connection with a verified client certificate; default false. */
  readonly clientCertificates?: boolean | undefined;
  /** Whether metrics are served to everybody; default false. */
  readonly openMetrics?: boolean | undefined;
}

/**
 * Returns the error that refuses a request to a closed surface; undefined when it may pass.
 *
 * @param isForwarded Whether the request carries the header fields of another request, so that its token is in
 *   FORWARDED_TOKEN_FIELD.
 */
export type AccessCheck = (request: IncomingMessage, isForwarded: boolean) => PurserError | undefined;

/** Undefined for a surface that is open to everybody. */
export function createAccessCheck(access: SurfaceAccess | undefined): AccessCheck | undefined {
  if (access === undefined) return undefined;
  const { tokens, clientCertificates = false } = access;
  if (tokens === undefined && !clientCertificates) return undefined;
  return (request, isForwarded) => {
    if (clientCertificates && !isVerified(request))
      return refused("this surface needs a client certificate of its authority");
    if (tokens === undefined) return undefined;
    const token = isForwarded ? request.headers[FORWARDED_TOKEN_FIELD] : bearerOf(request);
    if (typeof token !== "string" || token === "") {
      const field = isForwarded ? "X-Purser-Token: TOKEN" : "Authorization: Bearer TOKEN";
      return refused(`this surface needs a token: send ${field}`);
    }
    return tokens.has(token) ? undefined : refused("the token is not one of this surface's");
  };
}

/** The paths of a closed surface that are open to everybody. */
export function openPaths(operations: readonly Operation[], access: SurfaceAccess): ReadonlySet<string> {
  const open = operations.filter(
    (operation) =>
      operation.access === "probe" || (operation.access === "metrics" && access.openMetrics === true),
  );
  return new Set(open.map(({ path }) => path));
}

/** The scheme is case-insensitive (RFC 9110, section 11.1). Two Authorization fields are not possible: Node keeps the first. */
function bearerOf({ headers: { authorization = "" } }: IncomingMessage): string | undefined {
  return /^bearer +([^ ]+) *$/i.exec(authorization)?.[1];
}

function isVerified({ socket }: IncomingMessage): boolean {
  return "authorized" in socket && socket.authorized === true;
}

function refused(message: string): PurserError {
  return new PurserError("PURSER_UNAUTHENTICATED", message);
}
