// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/**
 * Header names in lower case, interned: equal names are one string, so that look-ups compare addresses. The
 * table is direct-mapped: a name that nobody uses twice only takes the place of another, so that random names
 * of an attacker cost time but no memory.
 */
const SLOTS = 1024;
/** Longer names are not interned. */
const MAX_INTERNED_LENGTH = 48;

const spelled: string[] = Array.from({ length: SLOTS }, () => "");
const lowered: string[] = Array.from({ length: SLOTS }, () => "");

/** Returns the name between two offsets of `text` in lower case. It must not be empty. */
export function fieldNameAt(text: string, start: number, end: number): string {
  const name = text.slice(start, end);
  const length = end - start;
  const slot =
    (length * 61 +
      text.charCodeAt(start) * 7 +
      text.charCodeAt(start + (length >> 1)) * 131 +
      text.charCodeAt(end - 1) * 31) &
    (SLOTS - 1);
  return spelled[slot] === name ? (lowered[slot] as string) : intern(name, slot);
}

function intern(name: string, slot: number): string {
  const lower = name.toLowerCase();
  if (name.length > MAX_INTERNED_LENGTH) return lower;
  // Copies: a slice would keep the whole head alive.
  spelled[slot] = copyOf(name);
  const interned = lower === name ? (spelled[slot] as string) : copyOf(lower);
  lowered[slot] = interned;
  return interned;
}

/** A key of an object is an internalized string of its own, which V8 compares by address. */
function copyOf(text: string): string {
  return Object.keys({ [text]: 0 })[0] as string;
}
