// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Bar } from "./bars.ts";
import { settingLine } from "../setting.ts";
import type { Report } from "./report.ts";

/** The report as text for a terminal. */
export function tableOf({ protocol, contenders, bars, missing, setting }: Report): string {
  const entries = Object.entries(contenders);
  const width = Math.max(14, ...entries.map(([name]) => name.length)) + 2;
  const row = (name: string, ...cells: readonly (string | number | undefined)[]): string =>
    `${name.padEnd(width)}${cells.map((cell) => String(cell ?? "-").padStart(11)).join("")}`;
  const workloads = [...new Set(entries.flatMap(([, figures]) => Object.keys(figures.workloads)))];
  return [
    ...workloads.flatMap((workload) => [
      row(
        workload,
        "requests/s",
        "to nginx",
        "by CPU",
        "p50, ms",
        "p99, ms",
        "CPU/1000",
        "errors",
        "foreign",
      ),
      ...entries.flatMap(([name, figures]) => {
        const f = figures.workloads[workload];
        return f === undefined
          ? []
          : [
              row(
                name,
                f.requests_per_s,
                f.ratio_to_nginx,
                f.cpu_ratio_to_nginx,
                f.p50_ms,
                f.p99_ms,
                f.cpu_ms_per_1000,
                f.errors,
                f.foreign_share,
              ),
            ];
      }),
      "",
    ]),
    row(
      "",
      "half load",
      "p50, ms",
      "p99, ms",
      "added p99",
      "cold stall",
      "start, ms",
      "idle, MB",
      "after, MB",
    ),
    ...entries.flatMap(
      ([name, { half_load: half, cold, startup_ms: start, idle_mb: idle, resident_mb: after }]) =>
        start === undefined
          ? []
          : [
              row(
                name,
                half?.rate,
                half?.p50_ms,
                half?.p99_ms,
                half?.added_p99_ms,
                cold?.worst_stall_ms,
                start,
                idle,
                after,
              ),
            ],
    ),
    "",
    ...bars.map(barLine),
    ...Object.entries(missing).map(([name, reason]) => `missing ${name}: ${reason}`),
    "",
    `${protocol}; ${settingLine(setting)}`,
    "",
  ].join("\n");
}

export function barLine({ name, demand, reached, met, reason, by_cpu }: Bar): string {
  if (met === undefined) return `?       ${name}: ${reason}`;
  const byCpu = by_cpu === undefined ? "" : ` (${by_cpu} by CPU)`;
  return `${met ? "met   " : "MISSED"}  ${name}: ${reached}, must be ${demand}${byCpu}`;
}
