// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { isDeepStrictEqual } from "node:util";
import type { AttributeBag } from "../core/attributes/bag.ts";
import type { Case } from "./corpus/index.ts";
import { type Engines, plain } from "./engines.ts";

/** The differences of the two engines for one expression, a line for each bag; none when they agree. */
export async function disagreements(
  { name, source }: Case,
  { ours, theirs }: Engines,
  bags: readonly AttributeBag[],
): Promise<readonly string[]> {
  const lines: string[] = [];
  for (const [index, bag] of bags.entries()) {
    const expected = await outcome(() => theirs(bag));
    const actual = await outcome(() => ours(bag));
    const where = `${name}: ${source}, bag ${index}`;
    if (!isDeepStrictEqual(actual, expected))
      lines.push(`${where}: ours ${JSON.stringify(actual)}, jsonata ${JSON.stringify(expected)}`);
    // A failing expression is not timed: the corpus represents expressions that succeed.
    else if ("error" in expected) lines.push(`${where}: fails in both with ${expected.error}`);
  }
  return lines;
}

type Outcome = { readonly value: unknown } | { readonly error: string };

async function outcome(evaluate: () => unknown): Promise<Outcome> {
  try {
    return { value: plain(await evaluate()) };
  } catch (error) {
    return { error: String((error as { code?: unknown }).code ?? error) };
  }
}
