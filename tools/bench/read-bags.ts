// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { open } from "node:fs/promises";
import type { AttributeBag } from "../../core/attributes/bag.ts";
import { messageOf, PurserError } from "../../kernel/errors.ts";

/** Bound on the bags read: timing needs a mix of requests, not a day's log. */
const MAX_BAGS = 10_000;

/**
 * Reads one bag from each line of a JSON Lines file; empty lines are skipped. Reads at most the first 10,000
 * bags.
 * @throws {PurserError} PURSER_BAGS_INVALID with the line.
 */
export async function readBags(path: string): Promise<readonly AttributeBag[]> {
  const bags: AttributeBag[] = [];
  let line = 0;
  try {
    const file = await open(path);
    for await (const text of file.readLines()) {
      line++;
      if (text.trim() === "") continue;
      const bag: unknown = JSON.parse(text);
      if (typeof bag !== "object" || bag === null || Array.isArray(bag))
        throw new Error("a bag must be a JSON object of attributes");
      bags.push(bag as AttributeBag);
      if (bags.length === MAX_BAGS) break;
    }
  } catch (cause) {
    const place = line === 0 ? path : `${path}:${line}`;
    throw new PurserError("PURSER_BAGS_INVALID", `${place}: ${messageOf(cause)}`, { cause });
  }
  if (bags.length === 0) throw new PurserError("PURSER_BAGS_INVALID", `${path}: the file has no bag`);
  return bags;
}
