// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { LRUCache } from "lru-cache";
import type { RegisteredClaims } from "../../core/traffic/authentication/registered-claims.ts";
import type { TokenPlace } from "../../core/traffic/resources/request-authentication.ts";
import type { Authentication } from "./authentication.ts";
import type { JwksSource } from "./jwks/jwks-source.ts";
import type { KeySet } from "./key-set.ts";

/** A token whose signature was verified. */
export interface VerifiedToken {
  readonly authentication: Authentication;
  /** The place that it was found in: in another one, other rules decide. */
  readonly place: TokenPlace;
  /** The keys that verified it: other keys have to verify it again. */
  readonly keys: KeySet;
  /** Holds the rule's keys that are in force now. */
  readonly source: KeySet | JwksSource;
  readonly times: Pick<RegisteredClaims, "refusedFromMs" | "acceptedFromMs">;
}

/** Characters of the tokens that are remembered; each takes some four times as much memory. */
const MAX_CHARACTERS = 4 * 1_048_576;
const MAX_TOKENS = 10_000;

/** Verified tokens by their whole text; of more than the bounds, those that were not used for longest are forgotten. */
export class TokenCache {
  readonly #tokens = new LRUCache<string, VerifiedToken>({
    max: MAX_TOKENS,
    maxSize: MAX_CHARACTERS,
    sizeCalculation: (_value, text) => text.length + 1,
  });

  find(text: string): VerifiedToken | undefined {
    return this.#tokens.get(text);
  }

  remember(text: string, verified: VerifiedToken): void {
    this.#tokens.set(text, verified);
  }

  forget(text: string): void {
    this.#tokens.delete(text);
  }
}
