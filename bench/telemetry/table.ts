// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { barLine } from "../proxy/table.ts";
import { settingLine } from "../setting.ts";
import type { Report } from "./report.ts";

/** The report as text for a terminal. */
export function tableOf(report: Report): string {
  const { increment_ns: increments, policy_and_telemetry: cost, bars, missing, setting } = report;
  return [
    ...Object.entries(increments).map(([name, ns]) => row(name, `${ns} ns`)),
    "",
    ...mixerRows(report),
    "",
    ...queueRows(report),
    ...(cost === undefined
      ? []
      : [
          `CPU/1000 requests: ${cost.bare_cpu_ms_per_1000} ms without policy and telemetry, ${cost.full_cpu_ms_per_1000} ms with them (foreign ${cost.foreign_share})`,
          "",
        ]),
    ...bars.map(barLine),
    ...Object.entries(missing).map(([name, reason]) => `missing ${name}: ${reason}`),
    "",
    settingLine(setting),
    "",
  ].join("\n");
}

function row(name: string, ...cells: readonly (string | number | undefined)[]): string {
  return `${name.padEnd(24)}${cells.map((cell) => String(cell ?? "-").padStart(12)).join("")}`;
}

function mixerRows({ reports }: Report): readonly string[] {
  return [
    row(
      "",
      "reports/s",
      "bags/s",
      "bags/CPU s",
      "sent/CPU s",
      "to none",
      "by CPU",
      "delivered",
      "dropped",
      "errors",
      "foreign",
      "after, MB",
    ),
    ...Object.entries(reports).map(([name, f]) =>
      row(
        name,
        f.reports_per_s,
        f.bags_per_s,
        f.bags_per_cpu_s,
        f.delivered_per_cpu_s,
        f.ratio_to_none,
        f.cpu_ratio_to_none,
        f.delivered_share,
        f.dropped_share,
        f.errors,
        f.foreign_share,
        f.resident_mb,
      ),
    ),
  ];
}

/** A row for each queue of a contender with several; that of a single queue is the contender's own. */
function queueRows({ reports }: Report): readonly string[] {
  const rows = Object.entries(reports).flatMap(([name, { queues }]) =>
    Object.keys(queues).length < 2
      ? []
      : Object.entries(queues).map(([queue, { accepted, delivered_share, dropped_share }]) =>
          row(`${name}: ${queue}`, accepted, delivered_share, dropped_share),
        ),
  );
  return rows.length === 0 ? [] : [row("queue", "accepted", "delivered", "dropped"), ...rows, ""];
}
