// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/** The tokens that a listener's requests may carry: the rules of the RequestAuthentication documents of a workload. */
export interface RequestAuthentication {
  /** In document order. A token is verified by the rules of its issuer that look in the token's place. */
  readonly rules: readonly JwtRule[];
}

/** One issuer of tokens. Pilot fills in every default. */
export interface JwtRule {
  /** The document's display name, for logs. */
  readonly document: string;
  /** The `iss` claim that a token must have, compared exactly. */
  readonly issuer: string;
  /** A token's `aud` claim must name one of them; empty: any audience, and none. */
  readonly audiences: readonly string[];
  readonly keys: JwtKeys;
  /** The parts of a request in which the token is looked for; never empty. */
  readonly places: readonly TokenPlace[];
  /** The request header for the verified payload, in base64url as the token has it. */
  readonly payloadHeader?: string;
  readonly claimHeaders: readonly ClaimHeader[];
  /** Whether the token stays in the request that is forwarded. */
  readonly forwardsToken: boolean;
  /** Claims whose texts become lists, divided at spaces. */
  readonly spaceDelimitedClaims: readonly string[];
}

/** The keys of an issuer: a JSON Web Key Set (RFC 7517) in the document or at a URL. */
export type JwtKeys =
  | { readonly kind: "inline"; readonly jwks: string }
  | {
      readonly kind: "remote";
      readonly url: string;
      /** The longest time of a fetch, and the longest time that a request waits for one. */
      readonly timeoutMs: number;
    };

/** A part of a request that may hold a token. */
export type TokenPlace =
  /** The field's value is `prefix` (compared without case), then the token. */
  | { readonly kind: "header"; readonly name: string; readonly prefix: string }
  /** A query parameter. */
  | { readonly kind: "param"; readonly name: string }
  | { readonly kind: "cookie"; readonly name: string };

/** A claim that is copied to a request header. */
export interface ClaimHeader {
  /** In lower case. */
  readonly header: string;
  /** The claim's name; dots lead into objects where no claim has the whole name. */
  readonly claim: string;
}

/** The places of Istio's default, which are those of RFC 6750, sections 2.1 and 2.3. */
export const DEFAULT_TOKEN_PLACES: readonly TokenPlace[] = [
  { kind: "header", name: "authorization", prefix: "Bearer " },
  { kind: "param", name: "access_token" },
];

/** Istio's default of `timeout`. */
export const DEFAULT_JWKS_TIMEOUT_MS = 5_000;
