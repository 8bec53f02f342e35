// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { isInnerList, type Item, parseDictionary, parseList, serializeList } from "structured-headers";
import { isStricter, type ShownQuota } from "./older-rate-limit-fields.ts";

/** Longest field of an upstream that is parsed, in bytes; a longer one counts as malformed. */
const MAX_UPSTREAM_LENGTH = 4_096;

/** Seconds, 31 years: a larger reset is a point in time. */
const LEAST_UNIX_TIME_S = 1_000_000_000;

/**
 * Merges two lists of RFC 9651: ours first, then the upstream's, without its members of the name of one of
 * ours. An upstream's field is dropped as a whole when it is malformed, or has a member that is no
 * item of the expected type: a client would ignore a list with such a member, and ours with it.
 *
 * @param ours A list that is valid.
 * @param theirs The upstream's field; several are joined with commas.
 * @param type Type of the members: strings in draft 11, integers in draft 07.
 */
export function mergedLists(ours: string, theirs: string, type: "string" | "integer"): string {
  const items = itemsOf(theirs, type);
  if (items === undefined) return ours;
  const known = new Set((itemsOf(ours, type) ?? []).map(([value]) => value));
  const others = type === "integer" ? items : items.filter(([value]) => !known.has(value));
  return others.length === 0 ? ours : (ifValid(() => `${ours}, ${serializeList(others)}`) ?? ours);
}

/** The items of a list; undefined when the text is not a list of items of this type. */
function itemsOf(text: string, type: "string" | "integer"): Item[] | undefined {
  if (text.length > MAX_UPSTREAM_LENGTH) return undefined;
  const isOfType = ([value]: Item) => (type === "string" ? typeof value === "string" : isAmount(value));
  return ifValid(() => {
    const items: Item[] = [];
    for (const member of parseList(text)) {
      if (isInnerList(member) || !isOfType(member)) return undefined;
      items.push(member);
    }
    return items;
  });
}

/** The upstream's `RateLimit` of draft 07 if it leaves a client less than ours, otherwise undefined. */
export function stricterDraft7(ours: ShownQuota, theirs: string): string | undefined {
  if (theirs.length > MAX_UPSTREAM_LENGTH) return undefined;
  const numbers = ifValid(() => {
    const members = parseDictionary(theirs);
    return ["limit", "remaining", "reset"].map((name) => members.get(name)?.[0]);
  });
  const [limit, remaining, resetS] = numbers ?? [];
  if (!isAmount(limit) || !isAmount(remaining) || !isAmount(resetS)) return undefined;
  if (!isStricter({ remaining, resetS }, ours)) return undefined;
  return `limit=${limit}, remaining=${remaining}, reset=${resetS}`;
}

/**
 * Whether the upstream's three `X-RateLimit-*` fields are whole numbers of seconds and leave a client less than
 * ours. A reset of a billion or more is a Unix time, as some upstreams write it, and counts as malformed.
 */
export function isStricterXRateLimit(ours: ShownQuota, theirs: readonly (string | undefined)[]): boolean {
  const numbers = theirs.map((text) =>
    text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined,
  );
  const [limit, remaining, resetS] = numbers;
  if (limit === undefined || remaining === undefined || resetS === undefined) return false;
  if (resetS >= LEAST_UNIX_TIME_S) return false;
  return isStricter({ remaining, resetS }, ours);
}

function isAmount(value: unknown): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= 0;
}

/** The value of `parse`; undefined when it throws, as the parser does for malformed text. */
function ifValid<T>(parse: () => T): T | undefined {
  try {
    return parse();
  } catch {
    return undefined;
  }
}
