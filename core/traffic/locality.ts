// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/** Localities: `region/zone/subzone`, later parts optional, as in Istio. */

const PART = "[A-Za-z0-9_.-]+";

export const LOCALITY_PATTERN = `^${PART}(/${PART}){0,2}$`;

/** A locality, or a pattern of localities that ends in `*`: `*`, `region/*`, `region/zone/*`. */
export const LOCALITY_WILDCARD_PATTERN = `^(\\*|${PART}(/${PART}){0,2}|${PART}(/${PART})?/\\*)$`;

/** Three labels of Kubernetes with the slashes between them. */
export const MAX_LOCALITY_LENGTH = 191;

/** Istio's labels of the parts of a locality, in the order of the parts. */
export const LOCALITY_LABELS = [
  "topology.kubernetes.io/region",
  "topology.kubernetes.io/zone",
  "topology.istio.io/subzone",
] as const;

/** The parts that a locality has, at most three; none when it is unknown (empty). */
export function localityParts(locality: string): readonly (string | undefined)[] {
  return locality === "" ? [] : locality.split("/");
}

/**
 * Whether a pattern covers a locality: equal parts, where an absent part of the pattern, or `*`, covers any.
 *
 * @param locality Empty when unknown, which only `*` covers.
 */
export function localityCovers(pattern: string, locality: string): boolean {
  const parts = localityParts(locality);
  return localityParts(pattern).every((part, index) => part === "*" || part === parts[index]);
}

/** Whether some locality is covered by both patterns. */
export function localitiesOverlap(first: string, second: string): boolean {
  const others = localityParts(second);
  return localityParts(first).every((part, index) => {
    const other = others[index];
    return part === "*" || other === "*" || other === undefined || part === other;
  });
}
