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
  /** The same ratio of the CPU times per request, which other work on the core disturbs less. */
  readonly by_cpu?: number;
  /** Absent when the bar could not be measured; `reason` then says why. */
  readonly met?: boolean;
  readonly reason?: string;
}

/** The figures of a contender that the bars are about. */
export type Judged = Pick<
  Entry,
  | "name"
  | "runs"
  | "throughput"
  | "cpuPerRequest"
  | "addedP99Ms"
  | "half"
  | "cold"
  | "startupMs"
  | "idleMb"
  | "logLines"
  | "answered"
>;

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
/** Least number of lines of the access log for each answered request: the log is on, and loses next to nothing. */
const LOG_LINES = 0.99;

type Figure = (entry: Judged) => number | undefined;

/** Largest values of purser-full's own figures; a figure is undefined or NaN when it was not measured. */
const LIMITS: readonly (readonly [name: string, unit: string, limit: number, of: Figure])[] = [
  ["p99 to p50 at full load", "", 3, (entry) => median(tailRatios(entry))],
  ["added p99 at half load", " ms", 1, (entry) => entry.addedP99Ms()],
  ["worst stall in the first 5 s", " ms", 50, ({ cold }) => cold?.worstWindowP99Ms],
  ["start-up to the first answer", " ms", 400, ({ startupMs }) => median(startupMs)],
  ["resident memory when idle", " MB", 90, ({ idleMb }) => median(idleMb)],
  ["errors", "", 0, errorsOf],
];

/** Judges purser-full; without it there is nothing to judge. */
export function judge(entries: readonly Judged[], missing: Readonly<Record<string, string>>): readonly Bar[] {
  const find = (wanted: string): Judged | undefined => entries.find(({ name }) => name === wanted);
  const full = find(PURSER_FULL);
  if (full === undefined) return [];
  const reasonFor = (peer: string): string => missing[peer] ?? `${peer} with ${JUDGED_WORKLOAD} was not run`;
  const atLeast = (name: string, least: number, reached: number | undefined, reason: string): Bar =>
    bar(name, `>= ${least}`, reached, (value) => value >= least, reason);
  const two = `${PURSER_FULL}-2`;
  return [
    ...RATIOS.map(([name, least]) => {
      const peer = find(name);
      const verdict = atLeast(`to ${name}`, least, throughputRatio(full, peer), reasonFor(name));
      return verdict.met === undefined ? verdict : { ...verdict, by_cpu: cpuRatio(full, peer) };
    }),
    atLeast("two workers to one", TWO_WORKERS, throughputRatio(find(two), full), reasonFor(two)),
    ...LIMITS.map(([name, unit, limit, of]) =>
      bar(name, `<= ${limit}${unit}`, of(full), (value) => value <= limit, reasonFor(PURSER_FULL)),
    ),
    atLeast("log lines per request", LOG_LINES, full.logLines / full.answered, reasonFor(PURSER_FULL)),
  ];
}

/** A bar with its verdict; `reason` is for a figure that could not be measured. */
export function bar(
  name: string,
  demand: string,
  reached: number | undefined,
  isMet: (value: number) => boolean,
  reason: string,
): Bar {
  if (reached === undefined || Number.isNaN(reached)) return { name, demand, reason };
  return { name, demand, reached: rounded(reached, 3), met: isMet(reached) };
}

function throughputRatio(of: Judged | undefined, to: Judged | undefined): number | undefined {
  return of && to && medianRatio(of.throughput(JUDGED_WORKLOAD), to.throughput(JUDGED_WORKLOAD));
}

/** The peer's CPU time per request over ours: more is better, as with throughputs. */
function cpuRatio(of: Judged, to: Judged | undefined): number {
  const theirs = to?.cpuPerRequest(JUDGED_WORKLOAD) ?? [];
  return rounded(medianRatio(theirs, of.cpuPerRequest(JUDGED_WORKLOAD)), 3);
}

function tailRatios({ runs }: Judged): readonly number[] {
  return (runs.get(JUDGED_WORKLOAD) ?? []).map(({ p99Ms, p50Ms }) => p99Ms / p50Ms);
}

function errorsOf({ runs, half, cold }: Judged): number {
  const full = [...runs.values()].flat().map(({ errors }) => errors);
  const paced = [...half.map(({ through }) => through.errors), cold?.errors ?? 0];
  return [...full, ...paced].reduce((sum, errors) => sum + errors, 0);
}
