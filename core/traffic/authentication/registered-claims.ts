// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Claims } from "./compact-token.ts";
import type { TokenRefusal } from "./token-refusal.ts";

/** The claims of RFC 7519 (section 4.1) by which a token is accepted. */
export interface RegisteredClaims {
  readonly issuer: string | undefined;
  readonly subject: string | undefined;
  readonly audiences: readonly string[];
  /** First moment at which the token is refused, the clock skew included; undefined: never. */
  readonly refusedFromMs: number | undefined;
  /** First moment at which the token is accepted, the clock skew included; undefined: always. */
  readonly acceptedFromMs: number | undefined;
}

/** Difference of the issuer's clock that is allowed for; Envoy's default. */
export const CLOCK_SKEW_MS = 60_000;

/** @returns `claims` when one of them has a wrong type. `iat` is only checked for its type, as in Envoy. */
export function readRegisteredClaims(claims: Claims): RegisteredClaims | TokenRefusal {
  const { iss, sub, aud, exp, nbf, iat } = claims;
  if (!isOptionalText(iss) || !isOptionalText(sub)) return "claims";
  if (!isOptionalTime(exp) || !isOptionalTime(nbf) || !isOptionalTime(iat)) return "claims";
  const audiences = audiencesOf(aud);
  if (audiences === undefined) return "claims";
  return {
    issuer: iss,
    subject: sub,
    audiences,
    refusedFromMs: exp === undefined ? undefined : exp * 1_000 + CLOCK_SKEW_MS,
    acceptedFromMs: nbf === undefined ? undefined : nbf * 1_000 - CLOCK_SKEW_MS,
  };
}

/** The reason when a token is refused at this time: `exp` and `nbf` (RFC 7519, sections 4.1.4 and 4.1.5). */
export function refusalOfTimes(
  { refusedFromMs, acceptedFromMs }: Pick<RegisteredClaims, "refusedFromMs" | "acceptedFromMs">,
  nowMs: number,
): TokenRefusal | undefined {
  if (acceptedFromMs !== undefined && nowMs < acceptedFromMs) return "not_yet_valid";
  return refusedFromMs !== undefined && nowMs >= refusedFromMs ? "expired" : undefined;
}

function audiencesOf(aud: unknown): readonly string[] | undefined {
  if (aud === undefined) return [];
  if (typeof aud === "string") return [aud];
  return Array.isArray(aud) && aud.every((each): each is string => typeof each === "string")
    ? aud
    : undefined;
}

function isOptionalText(value: unknown): value is string | undefined {
  return value === undefined || typeof value === "string";
}

function isOptionalTime(value: unknown): value is number | undefined {
  return value === undefined || (typeof value === "number" && Number.isFinite(value) && value >= 0);
}
