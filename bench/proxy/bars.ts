// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { PURSER_FULL } from "./contenders/purser.ts";
import type { Entry } from "./entry.ts";
import { median, medianRatio, rounded } from "./load/statistics.ts";
import { JUDGED_WORKLOAD } from "./load/workloads.ts";

/** A demand on purser-full, and whether it is met. */
export interface Bar {
  readonly name: string;
  readonly demand: string;
  readonly reached?: number;
  /** Absent when the bar could not be measured; `reason` then says why. */
  readonly met?: boolean;
  readonly reason?: string;
}

/** Least ratios of the throughput to that of others, all with everything on. */
const RATIOS: readonly (readonly [peer: string, least: number])[] = [
  ["nginx", 0.6],
  ["forwarder", 0.75],
  ["envoy", 1.5],
  ["envoy-auth", 6],
  ["fast-proxy", 2.5],
  ["nginx-auth", 4],
];

/** Least ratio of two workers to one. */
const TWO_WORKERS = 1.8;

/** Largest values of purser-full's own figures; undefined when it was not measured. */
const LIMITS: readonly (readonly [
  name: string,
  unit: string,
  limit: number,
  of: (entry: Entry) => number | undefined,
])[] = [
  [
    "p99 / p50 at full load",
    "",
    3,
    (entry) => median(judged(entry).map(({ p99Ms, p50Ms }) => p99Ms / p50Ms)),
  ],
  ["added p99 at half load", " ms", 1, (entry) => entry.addedP99Ms()],
  ["worst stall in the first 5 s", " ms", 50, (entry) => entry.cold?.worstWindowP99Ms],
  ["start-up to the first answer", " ms", 400, (entry) => median(entry.startupMs)],
  ["resident memory when idle", " MB", 90, (entry) => median(entry.idleMb)],
  ["errors", "", 0, (entry) => errorsOf(entry)],
];

export function judge(entries: readonly Entry[], missing: Readonly<Record<string, string>>): readonly Bar[] {
  const full = entries.find(({ name }) => name === PURSER_FULL);
  if (full === undefined) return [];
  const ratio = (of: Entry | undefined, to: Entry | undefined): number | undefined =>
    of && to && medianRatio(of.throughput(JUDGED_WORKLOAD), to.throughput(JUDGED_WORKLOAD));
  const find = (wanted: string): Entry | undefined => entries.find(({ name }) => name === wanted);
  const notRun = (peer: string): string => missing[peer] ?? `${peer} with ${JUDGED_WORKLOAD} was not run`;
  const two = `${PURSER_FULL}-2`;
  return [
    ...RATIOS.map(([peer, least]) =>
      bar(`to ${peer}`, `>= ${least}`, ratio(full, find(peer)), (value) => value >= least, notRun(peer)),
    ),
    bar(
      "two workers to one",
      `>= ${TWO_WORKERS}`,
      ratio(find(two), full),
      (value) => value >= TWO_WORKERS,
      notRun(two),
    ),
    ...LIMITS.map(([name, unit, limit, of]) =>
      bar(name, `<= ${limit}${unit}`, of(full), (value) => value <= limit, notRun(PURSER_FULL)),
    ),
  ];
}

function bar(
  name: string,
  demand: string,
  reached: number | undefined,
  isMet: (value: number) => boolean,
  reason: string,
): Bar {
  if (reached === undefined || Number.isNaN(reached)) return { name, demand, reason };
  return { name, demand, reached: rounded(reached, 3), met: isMet(reached) };
}

function judged(entry: Entry): readonly { readonly p50Ms: number; readonly p99Ms: number }[] {
  return entry.runs.get(JUDGED_WORKLOAD) ?? [];
}

function errorsOf({ runs, half, cold }: Entry): number {
  const full = [...runs.values()].flat().map(({ errors }) => errors);
  const paced = [...half.map(({ through }) => through.errors), cold?.errors ?? 0];
  return [...full, ...paced].reduce((sum, errors) => sum + errors, 0);
}
