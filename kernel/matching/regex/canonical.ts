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
 * The code units beyond ASCII that flag `i` takes for others, each with all of its group. No unit of ASCII equals one
 * beyond it. The list takes 65,536 conversions, some 10 ms, and is made when a pattern first needs it.
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
