// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { isPromise, type MaybePromise } from "../../kernel/maybe-promise.ts";
import type { AuthenticationResult, Authenticator } from "../authentication/authenticator.ts";
import { removeToken, type FoundToken } from "../authentication/token-places.ts";
import type { Exchange } from "../exchange/exchange.ts";
import type { LocalReply } from "../exchange/local-reply.ts";
import { tokenReply } from "../exchange/token-reply.ts";
import { applyOperations } from "./filter-headers.ts";
import type { Filter } from "./filter.ts";

/** @param result `verified`, `cached`, `no_token`, or a TokenRefusal. */
export type CountAuthentication = (listener: string, result: string) => void;

/**
 * Verifies the token of a request, where the listener has rules for tokens. A request without one goes on without
 * `request.auth`: policies decide about it.
 */
export function authenticateFilter(count: CountAuthentication): Filter {
  return {
    name: "authenticate",
    onRequest(exchange) {
      return exchange.listener.requestAuthentication === undefined
        ? undefined
        : authenticate(exchange, authenticatorOf(exchange), count);
    },
    onRequestTrailers({ listener: { name, requestAuthentication }, snapshot }, trailers) {
      if (requestAuthentication === undefined) return;
      const outputs = snapshot.authenticators.get(name)?.outputHeaders;
      trailers.removeWhere((each) => outputs?.has(each) ?? false);
    },
  };
}

function authenticatorOf({ listener, snapshot }: Exchange): Authenticator {
  const authenticator = snapshot.authenticators.get(listener.name);
  if (authenticator === undefined) throw new Error(`the listener ${listener.name} has no authenticator`);
  return authenticator;
}

function authenticate(
  exchange: Exchange,
  authenticator: Authenticator,
  count: CountAuthentication,
): MaybePromise<LocalReply | undefined> {
  const { request, listener } = exchange;
  const tokens = authenticator.places.find(request);
  // With the tokens in hand: a rule may write the header in which another one looks for its token.
  const { outputHeaders } = authenticator;
  if (outputHeaders.size > 0) request.headers.removeWhere((name) => outputHeaders.has(name));
  const [token] = tokens;
  if (token === undefined) {
    count(listener.name, "no_token");
    return undefined;
  }
  // Which of them speaks for the user? RFC 6750, section 2: clients must not send more than one.
  if (tokens.length > 1) return conclude(exchange, tokens, { kind: "refused", refusal: "several" }, count);
  const result = authenticator.verify(token);
  return isPromise(result)
    ? result.then((known) => conclude(exchange, tokens, known, count))
    : conclude(exchange, tokens, result, count);
}

function conclude(
  exchange: Exchange,
  tokens: readonly FoundToken[],
  result: AuthenticationResult,
  count: CountAuthentication,
): LocalReply | undefined {
  const { request, listener } = exchange;
  if (result.kind === "refused") {
    count(listener.name, result.refusal);
    // Reports tell of the request without its token.
    for (const { place } of tokens) removeToken(request, place);
    return tokenReply(result.refusal, request);
  }
  const { authentication, isCached } = result;
  count(listener.name, isCached ? "cached" : "verified");
  exchange.authentication = authentication;
  exchange.credentialExpiresAtEpochMs = authentication.refusedFromMs;
  if (!authentication.rule.forwardsToken) for (const { place } of tokens) removeToken(request, place);
  if (authentication.headers.length > 0)
    applyOperations(
      authentication.headers.map(([name, value]) => ({ operation: "set", name, value })),
      request.headers,
    );
  return undefined;
}
