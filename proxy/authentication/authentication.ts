// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { AttributeGroup } from "../../core/attributes/request-group.ts";
import { claimText, withLists } from "../../core/traffic/authentication/claim-values.ts";
import type { CompactToken } from "../../core/traffic/authentication/compact-token.ts";
import type { RegisteredClaims } from "../../core/traffic/authentication/registered-claims.ts";
import type { JwtRule } from "../../core/traffic/resources/request-authentication.ts";
import type { AttributeValue } from "../../core/attributes/bag.ts";

/** The user that a verified token speaks for. Requests with the same token share it. */
export interface Authentication {
  readonly rule: JwtRule;
  /** The attributes `request.auth.*`. */
  readonly attributes: AttributeGroup;
  /** Request headers to set, with values as text. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** First moment at which the token is refused, the clock skew included, in ms since the epoch; undefined: never. */
  readonly refusedFromMs: number | undefined;
}

export function authenticationOf(
  rule: JwtRule,
  { claims, payloadText, payloadPart }: CompactToken,
  { issuer, subject, audiences, refusedFromMs }: RegisteredClaims,
): Authentication {
  const { payloadHeader, claimHeaders, spaceDelimitedClaims } = rule;
  const attributes: Record<string, AttributeValue> = {
    // JSON.parse made the claims, and isPlain checked them.
    claims: withLists(claims, spaceDelimitedClaims) as AttributeValue,
    raw_claims: payloadText,
  };
  // Without a subject the token speaks for nobody: policies see no principal, as in Istio.
  if (issuer !== undefined && subject !== undefined && subject !== "")
    attributes["principal"] = `${issuer}/${subject}`;
  if (audiences.length > 0) attributes["audiences"] = audiences;
  if (typeof claims["azp"] === "string") attributes["presenter"] = claims["azp"];
  const headers = claimHeaders.flatMap(({ header, claim }): readonly (readonly [string, string])[] => {
    const text = claimText(claims, claim);
    return text === undefined ? [] : [[header, text]];
  });
  if (payloadHeader !== undefined) headers.push([payloadHeader, payloadPart]);
  return { rule, attributes, headers, refusedFromMs };
}
