// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/** How a cluster chooses among its endpoints. Weights are honoured by every kind. */
export type LoadBalancer =
  | { readonly kind: "round-robin" | "least-request"; readonly slowStart?: SlowStart }
  | { readonly kind: "random" }
  | {
      readonly kind: "ring-hash";
      readonly hashOn: HashSource;
      /** Minimum number of points on the ring. Envoy's default: 1024. */
      readonly minimumRingSize: number;
    }
  | {
      readonly kind: "maglev";
      readonly hashOn: HashSource;
      /** Number of table entries, a prime. Envoy's default: 65,537. */
      readonly tableSize: number;
    };

/** A new endpoint's weight grows over `windowMs`; core/traffic/balancing/slow-start.ts has the formula. */
export interface SlowStart {
  readonly windowMs: number;
  /** Above 0; 1 for linear growth. Envoy's default: 1. */
  readonly aggression: number;
  /** Minimum weight, in percent of the endpoint's own, 0 to 100. Envoy's default: 10. */
  readonly minimumPercent: number;
}

/** The value of a request that decides its endpoint. A request without the value gets a random endpoint. */
export type HashSource =
  | { readonly kind: "header" /** In lower case. */; readonly name: string }
  | { readonly kind: "query"; readonly name: string }
  | { readonly kind: "source-ip" }
  | HashCookie;

export interface HashCookie {
  readonly kind: "cookie";
  readonly name: string;
  /**
   * Lifetime of the cookie that is generated for a request without one, in seconds; 0 for a session cookie.
   * Absent: no cookie is generated.
   */
  readonly ttlSeconds?: number;
  /** Absent: the generated cookie has no Path. */
  readonly path?: string;
  /** Further attributes of the generated cookie, such as SameSite. */
  readonly attributes: readonly { readonly name: string; readonly value?: string }[];
}
