// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { PurserError } from "../../kernel/errors.ts";
import { policyOfCell } from "./cell-name.ts";
import type { QuotaCounting } from "./quota-definition.ts";
import type { CountPage, CountQuery, ListedCount, QuotaView } from "./quota-view.ts";

/** The counts of a memory store, as its view sees them. */
export interface ViewedCells<Cell> {
  names(): Iterable<string>;
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

/**
 * The counts that there were when the listing began. It is no iterator of the Map: one that nobody goes on with keeps every
 * table that the Map has had since, with the cells that were in it.
 */
interface Listing {
  readonly names: readonly string[];
  /** Index of the next name. */
  at: number;
}

/** Most listings under way; a further one ends the oldest. */
const MAX_LISTINGS = 16;

/** Lists and resets the counts of a memory store. A cursor is valid once, and only for the latest listings. */
export function createMemoryView<Cell>(cells: ViewedCells<Cell>): QuotaView {
  const listings = new Map<string, Listing>();
  let lastId = 0;

  const listingOf = (cursor: string | undefined): Listing => {
    if (cursor === undefined) return { names: [...cells.names()], at: 0 };
    const listing = listings.get(cursor);
    if (listing === undefined)
      throw new PurserError(
        "PURSER_REQUEST_INVALID",
        "the cursor is not known any more: list from the beginning",
      );
    listings.delete(cursor);
    return listing;
  };

  const keep = (listing: Listing): string => {
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
        const name = listing.names[listing.at++];
        if (name === undefined) return { counts };
        if (policyOfCell(name) !== policy) continue;
        const latest = cells.get(name);
        const lastLimit = latest === undefined ? undefined : cells.lastLimitOf(latest, query);
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
