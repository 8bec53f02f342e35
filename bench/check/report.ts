// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { type Bar, bar } from "../proxy/bars.ts";
import type { Entry } from "../proxy/entry.ts";
import { median, medianRatio, rounded } from "../proxy/load/statistics.ts";
import { barLine } from "../proxy/table.ts";
import { type Setting, settingLine, settingOf } from "../setting.ts";
import { type Measured, type Options, WORKLOAD } from "./measure.ts";

/** The figures of a contender; medians of the rounds. */
export interface ContenderFigures {
  readonly version: string;
  readonly checks_per_s: number;
  /** Median of the rounds' ratios to the application `koa`. */
  readonly ratio_to_koa: number;
  /** koa's CPU time per check over the contender's: what the first ratio is without other work on the core. */
  readonly cpu_ratio_to_koa: number;
  readonly p50_ms: number;
  readonly p99_ms: number;
  /** CPU time per 1000 checks, in milliseconds. */
  readonly cpu_ms_per_1000: number;
  /** Checks a second of each round. */
  readonly rounds: readonly number[];
  readonly errors: number;
  /** The largest share of the contenders' core that somebody else used in a round. */
  readonly foreign_share: number;
  /** Resident memory after all runs. */
  readonly resident_mb: number;
}

export interface Report {
  readonly bars: readonly Bar[];
  readonly contenders: Readonly<Record<string, ContenderFigures>>;
  /** The decision alone, without HTTP and quota stores. */
  readonly decision: Measured["decision"];
  readonly setting: Setting;
}

/** Least ratio of the mixer's throughput to that of the application `koa`. */
const LEAST_RATIO = 0.8;
/** Greatest number of bytes that a decision allocates. */
const MOST_BYTES = 4_096;

type Judged = Pick<ContenderFigures, "ratio_to_koa" | "cpu_ratio_to_koa" | "errors">;

/** Judges the mixer's figures. */
export function judge(mixer: Judged, allocatedBytes: number): readonly Bar[] {
  const toKoa = bar(
    "checks to koa",
    `>= ${LEAST_RATIO}`,
    mixer.ratio_to_koa,
    (value) => value >= LEAST_RATIO,
    "koa was not measured",
  );
  return [
    { ...toKoa, by_cpu: mixer.cpu_ratio_to_koa },
    bar(
      "allocated by a decision",
      `<= ${MOST_BYTES} bytes`,
      allocatedBytes,
      (value) => value <= MOST_BYTES,
      "the decision was not measured",
    ),
    bar("errors", "<= 0", mixer.errors, (value) => value <= 0, "the mixer was not measured"),
  ];
}

export function reportOf({ entries, decision }: Measured, options: Options): Report {
  const koa = find(entries, "koa");
  const contenders = Object.fromEntries(entries.map((entry) => [entry.name, figuresOf(entry, koa)]));
  return {
    bars: judge(figuresOf(find(entries, "mixer"), koa), decision.allocated_bytes),
    contenders,
    decision,
    setting: settingOf(options),
  };
}

function find(entries: readonly Entry[], wanted: string): Entry {
  const entry = entries.find(({ name }) => name === wanted);
  if (entry === undefined) throw new Error(`${wanted} was not measured`);
  return entry;
}

function figuresOf(entry: Entry, koa: Entry): ContenderFigures {
  const runs = entry.runs.get(WORKLOAD) ?? [];
  const of = (values: readonly number[]): number => rounded(median(values));
  const cpuMs = entry.cpuPerRequest(WORKLOAD);
  return {
    version: entry.version,
    checks_per_s: Math.round(median(entry.throughput(WORKLOAD))),
    ratio_to_koa: rounded(medianRatio(entry.throughput(WORKLOAD), koa.throughput(WORKLOAD)), 3),
    cpu_ratio_to_koa: rounded(medianRatio(koa.cpuPerRequest(WORKLOAD), cpuMs), 3),
    p50_ms: of(runs.map(({ p50Ms }) => p50Ms)),
    p99_ms: of(runs.map(({ p99Ms }) => p99Ms)),
    cpu_ms_per_1000: of(cpuMs.map((ms) => ms * 1000)),
    rounds: entry.throughput(WORKLOAD).map(Math.round),
    errors: runs.reduce((sum, { errors }) => sum + errors, 0),
    foreign_share: rounded(Math.max(...runs.map(({ foreignShare }) => foreignShare))),
    resident_mb: Math.round(entry.residentMb),
  };
}

/** The report as text for a terminal. */
export function tableOf({ contenders, bars, decision, setting }: Report): string {
  const row = (name: string, ...cells: readonly (string | number)[]): string =>
    `${name.padEnd(12)}${cells.map((cell) => String(cell).padStart(11)).join("")}`;
  return [
    row(
      "",
      "checks/s",
      "to koa",
      "by CPU",
      "p50, ms",
      "p99, ms",
      "CPU/1000",
      "errors",
      "foreign",
      "after, MB",
    ),
    ...Object.entries(contenders).map(([name, f]) =>
      row(
        name,
        f.checks_per_s,
        f.ratio_to_koa,
        f.cpu_ratio_to_koa,
        f.p50_ms,
        f.p99_ms,
        f.cpu_ms_per_1000,
        f.errors,
        f.foreign_share,
        f.resident_mb,
      ),
    ),
    "",
    `a decision: p50 ${decision.p50_us} µs, p99 ${decision.p99_us} µs, ${decision.allocated_bytes} bytes allocated`,
    "",
    ...bars.map(barLine),
    "",
    settingLine(setting),
    "",
  ].join("\n");
}
