// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { type Setting, settingOf } from "../setting.ts";
import { type Bar, judge } from "./bars.ts";
import type { Entry, TimedRun } from "./entry.ts";
import { median, medianRatio, rounded } from "./load/statistics.ts";
import type { Measured, Options } from "./measure.ts";

/** The figures of a contender under one workload at full load; medians of the rounds. */
export interface WorkloadFigures {
  readonly requests_per_s: number;
  /** Median of the rounds' ratios; absent without nginx. */
  readonly ratio_to_nginx?: number;
  /** nginx's CPU time per request over the contender's: what the first ratio is without other work on the core. */
  readonly cpu_ratio_to_nginx?: number;
  readonly p50_ms: number;
  readonly p99_ms: number;
  /** CPU time of the contender, with the services that it asks, per 1000 requests, in milliseconds. */
  readonly cpu_ms_per_1000: number;
  /** Requests a second of each round. */
  readonly rounds: readonly number[];
  readonly errors: number;
  /** The largest share of the proxy's core that somebody else used in a round. */
  readonly foreign_share: number;
}

export interface ContenderFigures {
  readonly version: string;
  readonly workloads: Readonly<Record<string, WorkloadFigures>>;
  /** At half of the contender's own full load; absent for the upstream itself. */
  readonly half_load?: {
    readonly rate: number;
    readonly p50_ms: number;
    readonly p99_ms: number;
    /** p99 less the p99 of the upstream alone at the same rate. */
    readonly added_p99_ms: number;
    readonly errors: number;
    readonly unanswered: number;
  };
  /** The first five seconds under load after a start. */
  readonly cold?: {
    readonly rate: number;
    readonly p99_ms: number;
    /** The largest p99 of any 100 ms. */
    readonly worst_stall_ms: number;
    readonly errors: number;
    readonly unanswered: number;
  };
  /** Lines of standard output per answered request: 1 for a contender with an access log. */
  readonly log_lines_per_request?: number;
  readonly startup_ms?: number;
  readonly idle_mb?: number;
  readonly resident_mb?: number;
}

export interface Report {
  readonly protocol: string;
  readonly bars: readonly Bar[];
  readonly contenders: Readonly<Record<string, ContenderFigures>>;
  readonly missing: Readonly<Record<string, string>>;
  readonly setting: Setting;
}

export function reportOf({ entries, missing }: Measured, options: Options): Report {
  const contenders = Object.fromEntries(entries.map((entry) => [entry.name, figuresOf(entry, entries)]));
  return {
    protocol: options.protocol.name,
    bars: judge(entries, missing, options.protocol),
    contenders,
    missing,
    setting: settingOf(options),
  };
}

function figuresOf(entry: Entry, entries: readonly Entry[]): ContenderFigures {
  const nginx = entries.find(({ name }) => name === "nginx");
  const workloads = Object.fromEntries(
    [...entry.runs].map(([name, runs]) => [name, workloadFigures(name, runs, entry, nginx)]),
  );
  if (!entry.isProxy) return { version: entry.version, workloads };
  const { cold, half } = entry;
  return {
    version: entry.version,
    workloads,
    ...(half.length > 0 && {
      half_load: {
        rate: Math.round(median(half.map(({ through }) => through.rate))),
        p50_ms: rounded(median(half.map(({ through }) => through.p50Ms))),
        p99_ms: rounded(median(half.map(({ through }) => through.p99Ms))),
        added_p99_ms: rounded(entry.addedP99Ms()),
        errors: half.reduce((sum, { through }) => sum + through.errors, 0),
        unanswered: half.reduce((sum, { through }) => sum + through.unanswered, 0),
      },
    }),
    ...(cold !== undefined && {
      cold: {
        rate: cold.rate,
        p99_ms: rounded(cold.p99Ms),
        worst_stall_ms: rounded(cold.worstWindowP99Ms),
        errors: cold.errors,
        unanswered: cold.unanswered,
      },
    }),
    log_lines_per_request: rounded(entry.logLines / entry.answered, 3),
    startup_ms: Math.round(median(entry.startupMs)),
    idle_mb: Math.round(median(entry.idleMb)),
    resident_mb: Math.round(entry.residentMb),
  };
}

function workloadFigures(
  name: string,
  runs: readonly TimedRun[],
  entry: Entry,
  nginx: Entry | undefined,
): WorkloadFigures {
  const ratios = nginx !== undefined && {
    ratio_to_nginx: rounded(medianRatio(entry.throughput(name), nginx.throughput(name)), 3),
    ...(entry.isProxy && {
      cpu_ratio_to_nginx: rounded(medianRatio(nginx.cpuPerRequest(name), entry.cpuPerRequest(name)), 3),
    }),
  };
  return {
    requests_per_s: Math.round(median(entry.throughput(name))),
    ...ratios,
    p50_ms: rounded(median(runs.map(({ p50Ms }) => p50Ms))),
    p99_ms: rounded(median(runs.map(({ p99Ms }) => p99Ms))),
    cpu_ms_per_1000: rounded(median(runs.map((run) => (run.cpuMs / run.requests) * 1000))),
    rounds: entry.throughput(name).map(Math.round),
    errors: runs.reduce((sum, { errors }) => sum + errors, 0),
    foreign_share: rounded(Math.max(...runs.map(({ foreignShare }) => foreignShare))),
  };
}
