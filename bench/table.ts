// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { DecisionFigures } from "./decision/measure.ts";
import type { ExpressionFigures } from "./measure-expressions.ts";

export interface Report {
  readonly expressions: ExpressionFigures;
  readonly decision: DecisionFigures | undefined;
  readonly peers: Readonly<Record<string, DecisionFigures>>;
  readonly machine: { readonly node: string; readonly cpu: string };
}

/** The report as a text table. */
export function tableOf({ expressions, decision, peers, machine }: Report): string {
  const { cases, count, median_speedup: median, min_speedup: min } = expressions;
  const widest = Math.max(...cases.map(({ name }) => name.length));
  const row = (name: string, ...cells: readonly string[]): string =>
    `${name.padEnd(widest)}${cells.map((cell) => cell.padStart(14)).join("")}`;
  const engines = { purser: decision, ...peers };
  return [
    row("expression", "ours, ns", "jsonata, ns", "times faster", "engine"),
    ...cases.map((figures) =>
      row(
        figures.name,
        figures.ours_ns.toFixed(1),
        figures.jsonata_ns.toFixed(1),
        figures.speedup.toFixed(1),
        figures.engine,
      ),
    ),
    `${count} expressions: the median ${median} times as fast as jsonata, the least ${min} times`,
    "",
    row("whole decision", "10, ns", "10,000, ns", "ratio"),
    ...Object.entries(engines).flatMap(([name, figures]) =>
      figures === undefined
        ? []
        : [row(name, `${figures.policies_10_ns}`, `${figures.policies_10000_ns}`, `${figures.ratio}`)],
    ),
    "",
    `Node.js ${machine.node}, ${machine.cpu}`,
    "",
  ].join("\n");
}
