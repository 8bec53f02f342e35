// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { type Bar, bar } from "../proxy/bars.ts";
import { median, medianRatio, rounded } from "../proxy/load/statistics.ts";
import { type Setting, settingOf } from "../setting.ts";
import { JUDGED, MEMORY, NOT_MEASURED, PEER, REDIS } from "./contenders.ts";
import type { Measured, Options, Run } from "./measure.ts";

/** Medians of the rounds. */
export interface QuotaFigures {
  readonly decisions_per_s: number;
  /** CPU time of the Node.js process for a decision, in microseconds. */
  readonly cpu_us: number;
  /** Decisions a second of each round. */
  readonly rounds: readonly number[];
}

export interface Report {
  readonly bars: readonly Bar[];
  /** By contender, then by the number of decisions under way. */
  readonly contenders: Readonly<Record<string, Readonly<Record<string, QuotaFigures>>>>;
  /** Median of the rounds' ratios of redis to rate-limiter-flexible, by decisions under way. */
  readonly ratio_to_peer: Readonly<Record<string, number>>;
  /** Peers that are not measured, with the reason. */
  readonly missing: Readonly<Record<string, string>>;
  readonly setting: Setting;
}

const LEAST_IN_MEMORY = 3_000_000;
const LEAST_IN_REDIS = 300_000;
const LEAST_RATIO = 2.5;

/** Judges the figures. */
export function judge(figures: {
  readonly memory: number;
  readonly redis: number;
  readonly ratio: number;
}): readonly Bar[] {
  const atLeast = (name: string, unit: string, limit: number, reached: number): Bar =>
    bar(name, `>= ${limit}${unit}`, reached, (value) => value >= limit, "a contender did not run");
  return [
    atLeast("decisions in memory", "/s", LEAST_IN_MEMORY, figures.memory),
    atLeast(`decisions in Redis, ${JUDGED} under way`, "/s", LEAST_IN_REDIS, figures.redis),
    atLeast(`ratio to ${PEER}, ${JUDGED} under way`, "", LEAST_RATIO, figures.ratio),
  ];
}

export function reportOf({ runs, missing }: Measured, options: Options): Report {
  const ours = runs.get(REDIS) ?? new Map<number, readonly Run[]>();
  const ratios = Object.fromEntries(
    [...ours].map(([concurrency, own]) => {
      const theirs = runs.get(PEER)?.get(concurrency) ?? [];
      return [concurrency, rounded(medianRatio(own.map(speed), theirs.map(speed)))];
    }),
  );
  const contenders = Object.fromEntries(
    [...runs].map(([name, byConcurrency]) => [
      name,
      Object.fromEntries([...byConcurrency].map(([concurrency, own]) => [concurrency, figuresOf(own)])),
    ]),
  );
  return {
    bars: judge({
      memory: contenders[MEMORY]?.["1"]?.decisions_per_s ?? Number.NaN,
      redis: contenders[REDIS]?.[JUDGED]?.decisions_per_s ?? Number.NaN,
      ratio: ratios[JUDGED] ?? Number.NaN,
    }),
    contenders,
    ratio_to_peer: ratios,
    missing: { ...missing, ...NOT_MEASURED },
    setting: settingOf(options),
  };
}

function figuresOf(runs: readonly Run[]): QuotaFigures {
  const speeds = runs.map(speed);
  return {
    decisions_per_s: Math.round(median(speeds)),
    cpu_us: rounded(median(runs.map(({ cpuUs }) => cpuUs)), 3),
    rounds: speeds.map(Math.round),
  };
}

function speed({ decisionsPerS }: Run): number {
  return decisionsPerS;
}
