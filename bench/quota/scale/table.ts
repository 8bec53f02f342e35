// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Speeds } from "./provision.ts";
import type { ScaleFigures } from "./figures.ts";

/** The lines of the table: a name, and its figure of a scenario. */
const LINES: readonly (readonly [name: string, figure: (figures: ScaleFigures) => string])[] = [
  ["requests/s", ({ requests_per_s: requests }) => whole(requests)],
  ["calls/s", ({ calls_per_s: calls }) => whole(calls)],
  ["calls/s of a shard, mean", ({ calls_per_shard_per_s: { mean } }) => whole(mean)],
  ["calls/s of a shard, most", ({ calls_per_shard_per_s: { most } }) => whole(most)],
  ["calls/s of a proxy", ({ calls_per_proxy_per_s: calls }) => `${calls}`],
  ["of them give-backs", ({ give_backs_per_proxy_per_s: calls }) => `${calls}`],
  ["amount of a grant", ({ amount_per_ask: amount }) => `${amount}`],
  ["calls/s of the key with most", ({ hot_key: { calls_per_s: calls } }) => whole(calls)],
  ["its requests/s", ({ hot_key: { requests_per_s: requests } }) => whole(requests)],
  ["admitted less than allowed", ({ under }) => `${(100 * under).toFixed(2)} %`],
  ["admitted beyond the limits", ({ over }) => whole(over)],
  ["mixers", ({ provision: { mixers } }) => whole(mixers)],
  [
    "shards of Redis",
    ({ provision: { shards, hot_key_fits: fits } }) => (fits ? whole(shards) : `${whole(shards)}!`),
  ],
];

/** The figures as text for a terminal. */
export function scaleText(all: readonly ScaleFigures[], speeds: Speeds): string {
  const line = (name: string, cells: readonly string[]): string =>
    `${name.padEnd(32)}${cells.map((cell) => cell.padStart(14)).join("")}`;
  return [
    line(
      "",
      all.map(({ name }) => name),
    ),
    ...LINES.map(([name, figure]) => line(name, all.map(figure))),
    ...all.map(({ name, summary }) => `${name}: ${summary}`),
    speedLine(speeds),
    "",
  ].join("\n");
}

/** The figures as Markdown. */
export function scaleMarkdown(all: readonly ScaleFigures[], speeds: Speeds): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  return [
    line(["", ...all.map(({ summary }) => summary)]),
    line(["---", ...all.map(() => "---:")]),
    ...LINES.map(([name, figure]) => line([name, ...all.map(figure)])),
    "",
    speedLine(speeds),
  ].join("\n");
}

function speedLine({ shardDecisionsPerS, mixerCallsPerS }: Speeds): string {
  return `Provisioned for half of ${whole(mixerCallsPerS)} calls/s of a mixer and ${whole(shardDecisionsPerS)} decisions/s of a shard, a core each.`;
}

function whole(figure: number): string {
  return Math.round(figure).toLocaleString("en-US");
}
