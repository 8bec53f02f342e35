// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/** Something that keeps tables, and can do without them. */
interface Holder {
  forget(): void;
}

/** Numbers that the tables of all patterns may hold together, some 60 MB; and those of one. */
const MAX_ALL = 4_000_000;
const MAX_ONE = 100_000;

/** What each holder has taken. When the pool is full, all tables are forgotten: they are made again when they are needed. */
const taken = new Map<Holder, number>();
let all = 0;

/** Takes room for `size` numbers. */
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
