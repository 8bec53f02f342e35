// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { createVerify } from "node:crypto";
import { isFields } from "./fields.ts";
import { RpcError } from "./status.ts";

const LIFETIME_S = 3600;
const JWT_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/** An answer of the token server: RFC 6749, section 5. */
export interface TokenAnswer {
  readonly status: number;
  readonly body: unknown;
}

/** The token server and the metadata server's tokens. */
export class Tokens {
  readonly #nowMs: () => number;
  /** PEM of the public key that assertions must be signed for; any signature is accepted without it. */
  readonly #publicKey: string | undefined;
  readonly #valid = new Map<string, number>();
  #issued = 0;

  constructor(nowMs: () => number, publicKey: string | undefined) {
    this.#nowMs = nowMs;
    this.#publicKey = publicKey;
  }

  /** Number of tokens that were issued. */
  get issued(): number {
    return this.#issued;
  }

  /** Forgets every token, as when a service account's access is revoked. */
  revoke(): void {
    this.#valid.clear();
  }

  exchange(form: string): TokenAnswer {
    const fields = new URLSearchParams(form);
    if (fields.get("grant_type") !== JWT_GRANT)
      return refusal("unsupported_grant_type", "only assertions are accepted");
    const fault = this.#faultOf(fields.get("assertion") ?? "");
    return fault === undefined ? { status: 200, body: this.issue() } : refusal("invalid_grant", fault);
  }

  issue(): unknown {
    const token = `ya29.stand-in-${++this.#issued}`;
    this.#valid.set(token, this.#nowMs() + LIFETIME_S * 1000);
    return { access_token: token, expires_in: LIFETIME_S, token_type: "Bearer" };
  }

  /** @throws RpcError UNAUTHENTICATED unless the header has a token that is still valid. */
  assertAuthorized(authorization: string | undefined): void {
    const expiresMs = this.#valid.get((authorization ?? "").replace(/^Bearer /, ""));
    if (expiresMs === undefined || expiresMs <= this.#nowMs())
      throw new RpcError("UNAUTHENTICATED", "Request had invalid authentication credentials.");
  }

  #faultOf(assertion: string): string | undefined {
    const [head = "", claims = "", signature = ""] = assertion.split(".");
    const [header, parsed] = [decode(head), decode(claims)];
    if (!isFields(header) || header["alg"] !== "RS256" || !isFields(parsed)) return "Invalid JWT.";
    for (const claim of ["iss", "scope", "aud", "exp", "iat"])
      if (parsed[claim] === undefined) return `Invalid JWT: ${claim} is missing.`;
    if (this.#publicKey === undefined) return undefined;
    const valid = createVerify("RSA-SHA256")
      .update(`${head}.${claims}`)
      .verify(this.#publicKey, signature, "base64url");
    return valid ? undefined : "Invalid JWT Signature.";
  }
}

function refusal(error: string, description: string): TokenAnswer {
  return { status: 400, body: { error, error_description: description } };
}

function decode(part: string): unknown {
  try {
    return JSON.parse(Buffer.from(part, "base64url").toString("utf8"));
  } catch {
    return undefined;
  }
}
