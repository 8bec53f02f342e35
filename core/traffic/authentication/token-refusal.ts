// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/**
 * Reasons to refuse a token. The texts are those of Envoy's jwt_authn filter, so that clients and dashboards that know
 * them keep working; the last two have no counterpart in Envoy.
 */
export const TOKEN_REFUSALS = {
  format: "Jwt is not in the form of Header.Payload.Signature with two dots and 3 sections",
  header: "Jwt header is an invalid JSON",
  algorithm: "Jwt header [alg] is not supported",
  critical: "Jwt header [crit] is not supported",
  payload: "Jwt payload is an invalid JSON",
  claims: "Jwt payload has a registered claim of a wrong type",
  issuer: "Jwt issuer is not configured",
  expired: "Jwt is expired",
  not_yet_valid: "Jwt not yet valid",
  audience: "Audiences in Jwt are not allowed",
  no_key: "Jwks doesn't have key to match kid or alg from Jwt",
  signature: "Jwt verification fails",
  keys_unavailable: "Jwks remote fetch is failed",
  too_long: "Jwt is too long",
  several: "The request has more than one Jwt",
} as const;

export type TokenRefusal = keyof typeof TOKEN_REFUSALS;
