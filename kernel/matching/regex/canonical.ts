// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

const LAST_UNIT = 0xffff;
const FIRST_NON_ASCII = 0x80;

/** Canonicalize of ECMA-262 (22.2.2.7.3), as flag `i` uses it without the flags `u` and `v`. */
function canonicalize(unit: number): number {
  const upper = String.fromCharCode(unit).toUpperCase();
  if (upper.length !== 1) return unit;
  const canonical = upper.charCodeAt(0);
  return unit >= FIRST_NON_ASCII && canonical < FIRST_NON_ASCII ? unit : canonical;
}

let groups: ReadonlyMap<number, readonly number[]> | undefined;

/**
 * Code units beyond ASCII that flag `i` treats as equal to others, each with its whole group. No ASCII unit
 * equals a unit beyond ASCII. Building the map takes 65,536 conversions (about 10 ms), so it is built on
 * first use.
 */
export function caseGroups(): ReadonlyMap<number, readonly number[]> {
  groups ??= findGroups();
  return groups;
}

function findGroups(): ReadonlyMap<number, readonly number[]> {
  const byCanonical = new Map<number, number[]>();
  for (let unit = FIRST_NON_ASCII; unit <= LAST_UNIT; unit++) {
    const canonical = canonicalize(unit);
    const group = byCanonical.get(canonical);
    if (group === undefined) byCanonical.set(canonical, [unit]);
    else group.push(unit);
  }
  const found = [...byCanonical.values()].filter(({ length }) => length > 1);
  return new Map(found.flatMap((group) => group.map((unit) => [unit, group] as const)));
}
