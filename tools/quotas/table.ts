// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Style } from "../terminal.ts";

/** The columns that hold numbers are aligned to the right. */
export interface Column {
  readonly title: string;
  readonly right?: boolean;
}

/** A table with its titles, for people; two spaces between columns. */
export function table(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  style: Style,
): string[] {
  const widths = columns.map(({ title }, at) =>
    Math.max(title.length, ...rows.map((row) => (row[at] ?? "").length)),
  );
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, at) => {
        const width = widths[at] as number;
        if (columns[at]?.right === true) return cell.padStart(width);
        return at === columns.length - 1 ? cell : cell.padEnd(width);
      })
      .join("  ");
  return [style.bold(line(columns.map(({ title }) => title))), ...rows.map(line)];
}
