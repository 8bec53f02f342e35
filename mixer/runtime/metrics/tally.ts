// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { Counter, type Registry } from "prom-client";

/** The count of one series. */
interface Count {
  value: number;
}

type Row = Map<string, Count>;

/**
 * A counter with two or three labels that costs a Map look-up for each; prom-client builds and hashes a text
 * for each increment, twenty times in a check of twenty policies. The registry reads the counts at each scrape.
 * The labels' values must come from the documents or the code, so that their number is bounded.
 */
export class Tally {
  readonly #tables = new Map<string, Map<string, Row>>();

  /** @param labelNames Two or three, in the order of `add`'s arguments. */
  constructor(registry: Registry, name: string, help: string, labelNames: readonly string[]) {
    const tables = this.#tables;
    const [a = "", b = "", c] = labelNames;
    new Counter<string>({
      name,
      help,
      labelNames,
      registers: [registry],
      collect() {
        this.reset();
        for (const [first, table] of tables)
          for (const [second, row] of table)
            for (const [third, { value }] of row)
              this.inc({ [a]: first, [b]: second, ...(c === undefined ? {} : { [c]: third }) }, value);
      },
    });
  }

  add(first: string, second: string, third = ""): void {
    const row = this.#tables.get(first)?.get(second) ?? this.#addRow(first, second);
    const count = row.get(third);
    if (count === undefined) row.set(third, { value: 1 });
    else count.value++;
  }

  #addRow(first: string, second: string): Row {
    const table = this.#tables.get(first) ?? new Map<string, Row>();
    this.#tables.set(first, table);
    const row: Row = new Map();
    table.set(second, row);
    return row;
  }
}
