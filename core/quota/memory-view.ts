// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { PurserError } from "../../kernel/errors.ts";
import { policyOfCell } from "./cell-name.ts";
import type { QuotaCounting } from "./quota-definition.ts";
import type { CountPage, CountQuery, ListedCount, QuotaView } from "./quota-view.ts";

/** The counts of a memory store, as its view sees them. */
export interface ViewedCells<Cell> {
  /** All names with their cells; the iterator stays valid while cells come and go. */
  entries(): IterableIterator<[name: string, latest: Cell]>;
  get(name: string): Cell | undefined;
  /** The last limit of the cell with this counting while it is in use; undefined when there is no such cell. */
  lastLimitOf(latest: Cell, counting: QuotaCounting): number | undefined;
  /** Whether keys share this count. */
  isShared(name: string): boolean;
  drop(name: string, latest: Cell): void;
}

/**
 * Most counts that one page looks at: some milliseconds. A page of a policy with few counts among many is shorter than its limit, and
 * has a cursor.
 */
const MAX_STEPS = 50_000;

/** Most listings under way; a further one ends the oldest. */
const MAX_LISTINGS = 16;

/** Lists and resets the counts of a memory store. A cursor is valid once, and only for the latest listings. */
export function createMemoryView<Cell>(cells: ViewedCells<Cell>): QuotaView {
  const listings = new Map<string, IterableIterator<[string, Cell]>>();
  let lastId = 0;

  const listingOf = (cursor: string | undefined): IterableIterator<[string, Cell]> => {
    if (cursor === undefined) return cells.entries();
    const listing = listings.get(cursor);
    if (listing === undefined)
      throw new PurserError(
        "PURSER_REQUEST_INVALID",
        "the cursor is not known any more: list from the beginning",
      );
    listings.delete(cursor);
    return listing;
  };

  const keep = (listing: IterableIterator<[string, Cell]>): string => {
    const [oldest] = listings.keys();
    if (oldest !== undefined && listings.size >= MAX_LISTINGS) listings.delete(oldest);
    const cursor = `m${++lastId}`;
    listings.set(cursor, listing);
    return cursor;
  };

  return {
    list(query: CountQuery): CountPage {
      const { policy, limit, cursor } = query;
      const listing = listingOf(cursor);
      const counts: ListedCount[] = [];
      for (let step = 0; step < MAX_STEPS && counts.length < limit; step++) {
        const next = listing.next();
        if (next.done === true) return { counts };
        const [name, latest] = next.value;
        if (policyOfCell(name) !== policy) continue;
        const lastLimit = cells.lastLimitOf(latest, query);
        if (lastLimit === undefined) continue;
        counts.push(lastLimit > 0 ? { cell: name, lastLimit } : { cell: name });
      }
      return { counts, cursor: keep(listing) };
    },

    reset({ cell, ...counting }) {
      const latest = cells.get(cell);
      if (latest === undefined) return cells.isShared(cell) ? "shared" : "absent";
      const wasInUse = cells.lastLimitOf(latest, counting) !== undefined;
      cells.drop(cell, latest);
      return wasInUse ? "reset" : "absent";
    },
  };
}
