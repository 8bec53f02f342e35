// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import Type, { type Static, type TUnsafe } from "typebox";

export const QUOTA_ALGORITHMS = ["fixed-window", "sliding-window", "token-bucket"] as const;
export type QuotaAlgorithm = (typeof QUOTA_ALGORITHMS)[number];

/** What happens while the store, or the mixer, cannot be asked; `local` counts here, against this node's share. */
export const STORE_FAILURE_POLICIES = ["allow", "deny", "local"] as const;
export type StoreFailurePolicy = (typeof STORE_FAILURE_POLICIES)[number];

/** What became of a request that went wrong: `unanswered` is a `failure` too. */
export const REQUEST_FATES = ["unanswered", "failure"] as const;
export type RequestFate = (typeof REQUEST_FATES)[number];

/** How a quota is counted: the same for all its counts. */
const COUNTING = {
  algorithm: oneOf(QUOTA_ALGORITHMS),
  windowMs: Type.Number({ minimum: 0 }),
};

/**
 * The part of a QuotaPolicy that is the same for every request. The snapshot holds it as one value and each charge carries
 * it whole, also as JSON between processes; stores and leases read from it what they need. A new field is therefore
 * written here, and neither copied nor checked anywhere else.
 */
export const QUOTA_DEFINITION = Type.Object({
  /** The QuotaPolicy's display name. */
  policy: Type.String(),
  ...COUNTING,
  /** How long a proxy may hold an amount, in milliseconds; 0 when it may not. */
  leaseMs: Type.Number({ minimum: 0 }),
  onStoreFailure: oneOf(STORE_FAILURE_POLICIES),
  /** Which fate of the request has the charge given back; absent when it always stays. */
  giveBackOn: Type.Optional(oneOf(REQUEST_FATES)),
});

export type QuotaDefinition = Readonly<Static<typeof QUOTA_DEFINITION>>;

export type QuotaCounting = Pick<QuotaDefinition, keyof typeof COUNTING>;

/** The counting alone, of a value that has it among other things. */
export function countingOf({ algorithm, windowMs }: QuotaCounting): QuotaCounting {
  return { algorithm, windowMs };
}

function oneOf<const T extends string>(words: readonly T[]): TUnsafe<T> {
  return Type.Unsafe<T>({ type: "string", enum: [...words] });
}
