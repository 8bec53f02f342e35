// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { type CompactToken, readCompactToken } from "../../core/traffic/authentication/compact-token.ts";
import { KeySetFault, readKeySet } from "../../core/traffic/authentication/json-web-key-set.ts";
import {
  readRegisteredClaims,
  refusalOfTimes,
  type RegisteredClaims,
} from "../../core/traffic/authentication/registered-claims.ts";
import type { TokenRefusal } from "../../core/traffic/authentication/token-refusal.ts";
import type {
  JwtRule,
  RequestAuthentication,
  TokenPlace,
} from "../../core/traffic/resources/request-authentication.ts";
import type { MaybePromise } from "../../kernel/maybe-promise.ts";
import type { Clock } from "../../kernel/ports.ts";
import { type Authentication, authenticationOf } from "./authentication.ts";
import type { JwksSource } from "./jwks/jwks-source.ts";
import type { JwksSources } from "./jwks/jwks-sources.ts";
import { KeySet } from "./key-set.ts";
import { TokenCache } from "./token-cache.ts";
import { type FoundToken, placeKey, TokenPlaces } from "./token-places.ts";

/** Result of looking at a token. */
export type AuthenticationResult =
  | { readonly kind: "verified"; readonly authentication: Authentication; readonly isCached: boolean }
  | { readonly kind: "refused"; readonly refusal: TokenRefusal };

interface CompiledRule {
  readonly rule: JwtRule;
  readonly audiences: ReadonlySet<string>;
  readonly keys: KeySet | JwksSource;
  readonly waitMs: number;
}

/** Verifies the tokens of one listener's requests. */
export class Authenticator {
  readonly places: TokenPlaces;
  /** Headers that rules write, in lower case: clients' own fields of these names are forgeries. */
  readonly outputHeaders: ReadonlySet<string>;
  readonly #rules: ReadonlyMap<string, readonly CompiledRule[]>;
  readonly #cache = new TokenCache();
  readonly #clock: Pick<Clock, "nowMs">;

  /** @param sources Have begun with the rules' URLs. */
  constructor({ rules }: RequestAuthentication, sources: JwksSources, clock: Pick<Clock, "nowMs">) {
    this.#clock = clock;
    this.places = new TokenPlaces(rules.flatMap(({ places }) => places));
    this.outputHeaders = new Set(
      rules.flatMap(({ payloadHeader, claimHeaders }) => [
        ...(payloadHeader === undefined ? [] : [payloadHeader]),
        ...claimHeaders.map(({ header }) => header),
      ]),
    );
    const byPlace = new Map<string, CompiledRule[]>();
    for (const rule of rules) {
      const compiled = compile(rule, sources);
      for (const key of new Set(rule.places.map(placeKey))) {
        const others = byPlace.get(key);
        if (others === undefined) byPlace.set(key, [compiled]);
        else others.push(compiled);
      }
    }
    this.#rules = byPlace;
  }

  /** Verifies a token; at once when it was verified before, by the keys in force. Never rejects. */
  verify({ text, place }: FoundToken): MaybePromise<AuthenticationResult> {
    const known = this.#cache.find(text);
    // Equal places are one object in TokenPlaces; any other object is looked at anew.
    if (known === undefined || known.place !== place || known.keys !== inForce(known.source))
      return this.#verifyAnew(text, place);
    const late = refusalOfTimes(known.times, this.#clock.nowMs());
    if (late === undefined) return { kind: "verified", authentication: known.authentication, isCached: true };
    this.#cache.forget(text);
    return { kind: "refused", refusal: late };
  }

  /** In Envoy's order: the form, the issuer, the times, the audience, the keys, the signature. */
  #verifyAnew(text: string, place: TokenPlace): MaybePromise<AuthenticationResult> {
    const token = readCompactToken(text);
    if (typeof token === "string") return refused(token);
    const claims = readRegisteredClaims(token.claims);
    if (typeof claims === "string") return refused(claims);
    const rules = (this.#rules.get(placeKey(place)) ?? []).filter(
      ({ rule }) => rule.issuer === claims.issuer,
    );
    if (rules.length === 0) return refused("issuer");
    const late = refusalOfTimes(claims, this.#clock.nowMs());
    if (late !== undefined) return refused(late);
    const fitting = rules.filter(
      ({ audiences }) => audiences.size === 0 || claims.audiences.some((each) => audiences.has(each)),
    );
    if (fitting.length === 0) return refused("audience");
    return this.#verifySignature(token, claims, fitting, place);
  }

  /** Several rules of one issuer: the first that verifies the token counts, and otherwise the first one's refusal. */
  async #verifySignature(
    token: CompactToken,
    claims: RegisteredClaims,
    rules: readonly CompiledRule[],
    place: TokenPlace,
  ): Promise<AuthenticationResult> {
    let refusal: TokenRefusal | undefined;
    for (const compiled of rules) {
      const keys = await verifyingKeys(token, compiled);
      if (typeof keys === "string") {
        refusal ??= keys;
        continue;
      }
      // Waiting for keys takes time, in which a token may end.
      const late = refusalOfTimes(claims, this.#clock.nowMs());
      if (late !== undefined) return refused(late);
      const authentication = authenticationOf(compiled.rule, token, claims);
      const { keys: source } = compiled;
      this.#cache.remember(token.text, { authentication, place, keys, source, times: claims });
      return { kind: "verified", authentication, isCached: false };
    }
    return refused(refusal ?? "no_key");
  }
}

function refused(refusal: TokenRefusal): AuthenticationResult {
  return { kind: "refused", refusal };
}

function compile(rule: JwtRule, sources: JwksSources): CompiledRule {
  const { keys, audiences } = rule;
  return {
    rule,
    audiences: new Set(audiences),
    keys: keys.kind === "remote" ? sources.find(keys.url) : inlineKeys(keys.jwks),
    waitMs: keys.kind === "remote" ? keys.timeoutMs : 0,
  };
}

/** Documents with other texts are refused, so an unreadable one has come from a pilot of another version: it verifies nothing. */
function inlineKeys(jwks: string): KeySet {
  const contents = readKeySet(jwks, "accepted");
  return new KeySet(contents instanceof KeySetFault ? [] : contents.keys);
}

function inForce(source: KeySet | JwksSource): KeySet | undefined {
  return source instanceof KeySet ? source : source.keys;
}

/** The keys that verify the token; newer ones when the issuer has changed them. Waits for the rule's timeout at most. */
async function verifyingKeys(
  token: CompactToken,
  { keys, waitMs }: CompiledRule,
): Promise<KeySet | TokenRefusal> {
  if (keys instanceof KeySet) return resultOf(keys, token);
  const held = keys.keys ?? (await keys.keysWithin(waitMs));
  if (held === undefined) return "keys_unavailable";
  const result = await resultOf(held, token);
  if (result === held || held.knows(token.keyId)) return result;
  const newer = await keys.newerThan(held, waitMs);
  return newer === undefined ? result : resultOf(newer, token);
}

async function resultOf(keys: KeySet, token: CompactToken): Promise<KeySet | TokenRefusal> {
  const result = await keys.verify(token);
  return result === "verified" ? keys : result;
}
