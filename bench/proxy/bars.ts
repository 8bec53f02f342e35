// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { PURSER_FULL } from "./contenders/purser.ts";
import type { Entry } from "./entry.ts";
import { median, medianRatio, rounded } from "./load/statistics.ts";

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

/** Least number of lines of the access log for each answered request: the log is on, and loses next to nothing. */
const LOG_LINES = 0.99;

type Figure = (entry: Judged, judgedWorkload: string) => number | undefined;

/** The largest value of a figure of purser-full; the figure is undefined or NaN when it was not measured. */
type Limit = readonly [name: string, unit: string, limit: number, of: Figure];

const NO_ERRORS: Limit = ["errors", "", 0, errorsOf];

const HTTP1_LIMITS: readonly Limit[] = [
  ["p99 to p50 at full load", "", 3, (entry, judged) => median(tailRatios(entry, judged))],
  ["added p99 at half load", " ms", 1, (entry) => entry.addedP99Ms()],
  ["worst stall in the first 5 s", " ms", 50, ({ cold }) => cold?.worstWindowP99Ms],
  ["start-up to the first answer", " ms", 400, ({ startupMs }) => median(startupMs)],
  ["resident memory when idle", " MB", 90, ({ idleMb }) => median(idleMb)],
  NO_ERRORS,
];

/** The demands on purser-full with a protocol. */
export interface Bars {
  /** Least ratios of the throughput to that of others, all with everything on. */
  readonly ratios: Readonly<Record<string, number>>;
  /** Least ratio of two workers to one; undefined without a demand. */
  readonly twoWorkers?: number;
  readonly limits: readonly Limit[];
}

export const HTTP1_BARS: Bars = {
  ratios: { nginx: 0.6, forwarder: 0.75, envoy: 1.5, "envoy-auth": 6, "fast-proxy": 2.5, "nginx-auth": 4 },
  twoWorkers: 1.8,
  limits: HTTP1_LIMITS,
};

export const TLS_BARS: Bars = { ratios: { nginx: 0.5 }, limits: [NO_ERRORS] };

export const GRPC_BARS: Bars = { ratios: {}, limits: [NO_ERRORS] };

/** Judges purser-full by the workload; without purser-full there is nothing to judge. */
export function judge(
  entries: readonly Judged[],
  missing: Readonly<Record<string, string>>,
  { judged, bars }: { readonly judged: string; readonly bars: Bars },
): readonly Bar[] {
  const find = (wanted: string): Judged | undefined => entries.find(({ name }) => name === wanted);
  const full = find(PURSER_FULL);
  if (full === undefined) return [];
  const reasonFor = (peer: string): string => missing[peer] ?? `${peer} with ${judged} was not run`;
  const atLeast = (name: string, least: number, reached: number | undefined, reason: string): Bar =>
    bar(name, `>= ${least}`, reached, (value) => value >= least, reason);
  const two = `${PURSER_FULL}-2`;
  return [
    ...Object.entries(bars.ratios).map(([name, least]) => {
      const peer = find(name);
      const verdict = atLeast(`to ${name}`, least, throughputRatio(judged, full, peer), reasonFor(name));
      return verdict.met === undefined ? verdict : { ...verdict, by_cpu: cpuRatio(judged, full, peer) };
    }),
    ...(bars.twoWorkers === undefined
      ? []
      : [
          atLeast(
            "two workers to one",
            bars.twoWorkers,
            throughputRatio(judged, find(two), full),
            reasonFor(two),
          ),
        ]),
    ...bars.limits.map(([name, unit, limit, of]) =>
      bar(name, `<= ${limit}${unit}`, of(full, judged), (value) => value <= limit, reasonFor(PURSER_FULL)),
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

function throughputRatio(
  workload: string,
  of: Judged | undefined,
  to: Judged | undefined,
): number | undefined {
  return of && to && medianRatio(of.throughput(workload), to.throughput(workload));
}

/** The peer's CPU time per request over ours: more is better, as with throughputs. */
function cpuRatio(workload: string, of: Judged, to: Judged | undefined): number {
  const theirs = to?.cpuPerRequest(workload) ?? [];
  return rounded(medianRatio(theirs, of.cpuPerRequest(workload)), 3);
}

function tailRatios({ runs }: Judged, workload: string): readonly number[] {
  return (runs.get(workload) ?? []).map(({ p99Ms, p50Ms }) => p99Ms / p50Ms);
}

function errorsOf({ runs, half, cold }: Judged): number {
  const full = [...runs.values()].flat().map(({ errors }) => errors);
  const paced = [...half.map(({ through }) => through.errors), cold?.errors ?? 0];
  return [...full, ...paced].reduce((sum, errors) => sum + errors, 0);
}
