// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/** An object with tables that it can drop and rebuild. */
interface Holder {
  forget(): void;
}

/**
 * Most numbers (at most eight bytes each) that the tables of all patterns hold together, about 60 MB; and
 * those of one pattern.
 */
const MAX_ALL = 4_000_000;
const MAX_ONE = 100_000;

/** Numbers taken by each holder. When the pool is full, all tables are dropped and rebuilt as needed. */
const taken = new Map<Holder, number>();
let all = 0;

/** Reserves space for `size` numbers. */
export function takeRoom(holder: Holder, size: number): void {
  const own = taken.get(holder) ?? 0;
  if (all + size > MAX_ALL) {
    for (const other of taken.keys()) other.forget();
    taken.clear();
    all = 0;
  } else if (own + size > MAX_ONE) {
    holder.forget();
    taken.delete(holder);
    all -= own;
  }
  taken.set(holder, (taken.get(holder) ?? 0) + size);
  all += size;
}
