// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { problemDetails } from "../../core/verdict/problem-details.ts";
import { TOKEN_REFUSALS, type TokenRefusal } from "../../core/traffic/authentication/token-refusal.ts";
import { headerBytesOf } from "../../kernel/canonical/header-text.ts";
import type { ErrorCode } from "../../kernel/error-catalog.ts";
import type { ExchangeRequest } from "./exchange.ts";
import type { LocalReply } from "./local-reply.ts";

/** Longest realm, in characters; Envoy's. */
const MAX_REALM_LENGTH = 256;

/**
 * The local reply to a request whose token is refused: 401, and 403 for another audience, as in Envoy, with the challenge of
 * RFC 6750 (section 3). The realm is the URL without its query, which may hold the token.
 */
export function tokenReply(
  refusal: TokenRefusal,
  { scheme, authorityText, path }: Pick<ExchangeRequest, "scheme" | "authorityText" | "path">,
): LocalReply {
  const status = refusal === "audience" ? 403 : 401;
  const code: ErrorCode = refusal === "keys_unavailable" ? "PURSER_PROXY_TOKEN_KEYS" : "PURSER_PROXY_TOKEN";
  const text = TOKEN_REFUSALS[refusal];
  const realm = `${scheme}://${authorityText}${path}`.slice(0, MAX_REALM_LENGTH).replace(/["\\]/g, "\\$&");
  return {
    status,
    // The form of Envoy's response code details.
    details: `jwt_authn_access_denied{${text.replace(/\s/g, "_")}}`,
    headers: [
      ["www-authenticate", `Bearer realm="${headerBytesOf(realm)}", error="invalid_token"`],
      ["x-purser-error", code],
    ],
    body: { kind: "problem", problem: problemDetails(status, text, { code }) },
  };
}
