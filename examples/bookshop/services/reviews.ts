// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Answerer } from "./service.ts";

export const REVIEWS_VERSIONS = ["v1", "v2", "v3"] as const;
export type ReviewsVersion = (typeof REVIEWS_VERSIONS)[number];

/** v1 shows no stars, v2 black stars, v3 red stars. */
const COLOR: Readonly<Record<ReviewsVersion, string | undefined>> = { v1: undefined, v2: "black", v3: "red" };

const TEXTS: readonly string[] = [
  "Could not put it down, and I tried.",
  "Everything one wants from a book: pages.",
];

/** `/reviews/ID`. */
export function reviews(version: ReviewsVersion): Answerer {
  return async ({ pathname }, call) => {
    const id = /^\/reviews\/([^/]+)$/.exec(pathname)?.[1];
    if (id === undefined) return { status: 404, body: { error: "no such book" } };
    const color = COLOR[version];
    if (color === undefined) return { status: 200, body: { id, version, reviews: TEXTS } };
    // Reviews are served without stars when ratings are not available.
    const rating = await call("ratings", `/ratings/${encodeURIComponent(id)}`).catch(() => undefined);
    const stars = rating?.status === 200 ? (rating.body as { readonly stars: number }).stars : undefined;
    return { status: 200, body: { id, version, color, stars, reviews: TEXTS } };
  };
}
