// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { barLine } from "../proxy/table.ts";
import { settingLine } from "../setting.ts";
import type { Report } from "./report.ts";

/** The report as text for a terminal. */
export function tableOf({ contenders, ratio_to_peer: ratios, bars, missing, setting }: Report): string {
  return [
    row("", "under way", "decisions/s", "CPU us each"),
    ...Object.entries(contenders).flatMap(([name, byConcurrency]) =>
      Object.entries(byConcurrency).map(([concurrency, figures]) =>
        row(name, concurrency, figures.decisions_per_s, figures.cpu_us),
      ),
    ),
    "",
    ...Object.entries(ratios).map(([concurrency, ratio]) => row("ratio to the peer", concurrency, ratio)),
    "",
    ...bars.map(barLine),
    ...Object.entries(missing).map(([name, reason]) => `missing ${name}: ${reason}`),
    "",
    settingLine(setting),
    "",
  ].join("\n");
}

function row(name: string, ...cells: readonly (string | number)[]): string {
  return `${name.padEnd(24)}${cells.map((cell) => String(cell).padStart(14)).join("")}`;
}
