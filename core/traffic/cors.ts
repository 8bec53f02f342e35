// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Meter } from "../../kernel/matching/regex/meter.ts";
import type { CorsPolicy } from "./resources/route.ts";
import { compileString } from "./route-match.ts";

/**
 * The longest origin that is compared, in characters. The longest that names a host has some 280: a scheme, a
 * host of 253 characters, and a port.
 */
const MAX_ORIGIN_CHARS = 512;

type Field = readonly [name: string, value: string];

/** A route's CORS policy (Fetch standard, "CORS protocol"), compiled once. */
export class CompiledCors {
  /** Whether any origin is allowed: then the reply says `*`, and never allows credentials. */
  readonly #any: boolean;
  readonly #exact: ReadonlySet<string>;
  readonly #others: readonly ((origin: string) => boolean)[];
  /** Fields of the reply to a preflight, besides those of every response. */
  readonly preflightFields: readonly Field[];
  /** Fields of the response to a request that is no preflight, besides those of every response. */
  readonly exposedFields: readonly Field[];
  readonly allowCredentials: boolean;
  /** Whether a cache must tell origins apart (`vary: origin`). */
  readonly variesByOrigin: boolean;
  /** Whether a preflight from an origin that is not allowed goes on as any request. */
  readonly forwardsUnmatchedPreflights: boolean;

  /** @param meter Charged for the regular expressions' work; may throw from `allowedOrigin`. */
  constructor(policy: CorsPolicy, meter?: Meter) {
    const { allowOrigins, allowMethods, allowHeaders, exposeHeaders, maxAgeSeconds } = policy;
    const exact = new Set<string>();
    const others: ((origin: string) => boolean)[] = [];
    for (const match of allowOrigins) {
      if (match.kind === "exact") exact.add(match.value);
      else others.push(compileString(match, meter));
    }
    this.#any = exact.has("*");
    this.#exact = exact;
    this.#others = others;
    this.preflightFields = [
      ...listField("access-control-allow-methods", allowMethods),
      ...listField("access-control-allow-headers", allowHeaders),
      ...(maxAgeSeconds === undefined ? [] : [["access-control-max-age", String(maxAgeSeconds)] as const]),
    ];
    this.exposedFields = listField("access-control-expose-headers", exposeHeaders);
    this.allowCredentials = policy.allowCredentials && !this.#any;
    this.variesByOrigin = !this.#any;
    this.forwardsUnmatchedPreflights = policy.forwardUnmatchedPreflights;
  }

  /**
   * The value of `access-control-allow-origin` for a request from `origin`; undefined when the origin is not
   * allowed. As in Envoy, origins are compared as the client writes them.
   */
  allowedOrigin(origin: string): string | undefined {
    if (origin.length > MAX_ORIGIN_CHARS || origin === "") return undefined;
    if (this.#any) return "*";
    if (this.#exact.has(origin)) return origin;
    for (const holds of this.#others) if (holds(origin)) return origin;
    return undefined;
  }
}

function listField(name: string, values: readonly string[]): readonly Field[] {
  return values.length === 0 ? [] : [[name, values.join(",")]];
}
