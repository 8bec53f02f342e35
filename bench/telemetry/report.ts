// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { type Bar, bar } from "../proxy/bars.ts";
import { PURSER, PURSER_FULL } from "../proxy/contenders/purser.ts";
import { median, medianRatio, rounded } from "../proxy/load/statistics.ts";
import { JUDGED_WORKLOAD } from "../proxy/load/workloads.ts";
import { type Setting, settingOf } from "../setting.ts";
import { NONE } from "./contenders.ts";
import { type Counts, totalOf } from "./deliveries.ts";
import { ADAPTER } from "./increments.ts";
import { type Measured, type MixerEntry, type Options, WORKLOAD } from "./measure.ts";
import { BAGS } from "./report-requests.ts";

/** The outcome of the instances that a queue accepted in all rounds. */
export interface QueueFigures {
  readonly accepted: number;
  readonly delivered_share: number;
  readonly dropped_share: number;
}

/** The figures of a mixer on one core; medians of the rounds. */
export interface MixerFigures {
  readonly version: string;
  readonly reports_per_s: number;
  readonly bags_per_s: number;
  /** Bags per second of the mixer's CPU time, in which the delivery after the load's end is included. */
  readonly bags_per_cpu_s: number;
  /** Instances that arrived at the receivers, per second of the mixer's CPU time; absent without handlers. */
  readonly delivered_per_cpu_s?: number;
  /** Median of the rounds' ratios to the contender `none`. */
  readonly ratio_to_none: number;
  /** CPU time per bag of `none` over the contender's: what the first ratio is without other work on the core. */
  readonly cpu_ratio_to_none: number;
  /** Of all rounds and queues together; absent without handlers. */
  readonly delivered_share?: number;
  readonly dropped_share?: number;
  /** By `handler/template`. */
  readonly queues: Readonly<Record<string, QueueFigures>>;
  /** Bags a second of each round. */
  readonly rounds: readonly number[];
  readonly errors: number;
  /** The largest share of the contenders' core that somebody else used in a round. */
  readonly foreign_share: number;
  /** Resident memory after all runs. */
  readonly resident_mb: number;
}

/** The cost of policy and telemetry for a proxy. */
export interface ProxyFigures {
  /** CPU time per 1000 requests without them, in milliseconds. */
  readonly bare_cpu_ms_per_1000: number;
  readonly full_cpu_ms_per_1000: number;
  /** Processors that they take at 1000 requests a second: the median of the rounds' differences. */
  readonly vcpu_per_1000_rps: number;
  readonly rounds: readonly number[];
  readonly foreign_share: number;
}

export interface Report {
  readonly bars: readonly Bar[];
  /** Nanoseconds for an increment of a counter with four labels, by contender. */
  readonly increment_ns: Readonly<Record<string, number>>;
  readonly reports: Readonly<Record<string, MixerFigures>>;
  /** Absent when a contender of bench:proxy did not start. */
  readonly policy_and_telemetry?: ProxyFigures;
  /** The reason for each contender that could not run. */
  readonly missing: Readonly<Record<string, string>>;
  readonly setting: Setting;
}

/** Greatest time of an increment, in nanoseconds. */
const MOST_NS = 60;
/**
 * Greatest number of processors for policy and telemetry at 1000 requests a second: a twentieth of the 0.6 vCPU that Istio 1.1
 * published for Mixer's telemetry (https://istio.io/v1.1/docs/concepts/performance-and-scalability/).
 */
const MOST_VCPU = 0.03;

/** Judges the figures; an undefined or NaN figure was not measured. */
export function judge(
  figures: {
    readonly incrementNs: number | undefined;
    readonly vcpu: number | undefined;
    readonly errors: number;
  },
  reason = "a contender did not start",
): readonly Bar[] {
  const atMost = (name: string, unit: string, limit: number, reached: number | undefined): Bar =>
    bar(name, `<= ${limit}${unit}`, reached, (value) => value <= limit, reason);
  return [
    atMost("increment of a counter", " ns", MOST_NS, figures.incrementNs),
    atMost("policy and telemetry at 1000 requests/s", " vCPU", MOST_VCPU, figures.vcpu),
    atMost("errors", "", 0, figures.errors),
  ];
}

export function reportOf(measured: Measured, options: Options): Report {
  const { increments, mixers, missing, proxy } = measured;
  const none = mixers.find(({ entry }) => entry.name === NONE);
  const reports = Object.fromEntries(mixers.map((mixer) => [mixer.entry.name, mixerFigures(mixer, none)]));
  const cost = proxyFigures(proxy);
  const errors = Object.values(reports).reduce((sum, figures) => sum + figures.errors, 0);
  const reasons = Object.entries(proxy.missing).map(([name, reason]) => `${name}: ${reason}`);
  return {
    bars: judge(
      { incrementNs: increments.ns[ADAPTER], vcpu: cost?.vcpu_per_1000_rps, errors },
      reasons.join("; ") || undefined,
    ),
    increment_ns: increments.ns,
    reports,
    ...(cost !== undefined && { policy_and_telemetry: cost }),
    missing: { ...increments.missing, ...missing, ...proxy.missing },
    setting: settingOf(options),
  };
}

function mixerFigures({ entry, rounds }: MixerEntry, none: MixerEntry | undefined): MixerFigures {
  const runs = entry.runs.get(WORKLOAD) ?? [];
  const bags = entry.throughput(WORKLOAD).map((reports) => reports * BAGS);
  const cpuMs = entry.cpuPerRequest(WORKLOAD);
  const delivered = rounds.map(
    (counts, round) => totalOf(counts).delivered / (runs[round]?.cpuMs ?? Number.NaN),
  );
  const { accepted, delivered_share, dropped_share } = sharesOf(rounds.map(totalOf));
  const reached = none?.entry;
  return {
    version: entry.version,
    reports_per_s: Math.round(median(entry.throughput(WORKLOAD))),
    bags_per_s: Math.round(median(bags)),
    bags_per_cpu_s: Math.round(median(cpuMs.map((ms) => (BAGS * 1000) / ms))),
    ...(accepted > 0 && {
      delivered_per_cpu_s: Math.round(median(delivered) * 1000),
      delivered_share,
      dropped_share,
    }),
    ratio_to_none: rounded(medianRatio(entry.throughput(WORKLOAD), reached?.throughput(WORKLOAD) ?? []), 3),
    cpu_ratio_to_none: rounded(medianRatio(reached?.cpuPerRequest(WORKLOAD) ?? [], cpuMs), 3),
    queues: queueFigures(rounds),
    rounds: bags.map(Math.round),
    errors: runs.reduce((sum, { errors }) => sum + errors, 0),
    foreign_share: rounded(Math.max(...runs.map(({ foreignShare }) => foreignShare))),
    resident_mb: Math.round(entry.residentMb),
  };
}

/** The figures of each queue over all rounds. */
export function queueFigures(rounds: readonly Counts[]): Readonly<Record<string, QueueFigures>> {
  const queues = new Set(rounds.flatMap((counts) => [...counts.keys()]));
  const entries = [...queues].map((queue) => {
    const counts = rounds.flatMap((round) => round.get(queue) ?? []);
    return [queue, sharesOf(counts)] as const;
  });
  return Object.fromEntries(entries);
}

function sharesOf(
  counts: readonly { readonly accepted: number; readonly delivered: number; readonly dropped: number }[],
): QueueFigures {
  const sum = (of: "accepted" | "delivered" | "dropped"): number =>
    counts.reduce((total, each) => total + each[of], 0);
  const accepted = sum("accepted");
  return {
    accepted,
    delivered_share: rounded(sum("delivered") / accepted, 3),
    dropped_share: rounded(sum("dropped") / accepted, 3),
  };
}

/** A millisecond of CPU time per request is a processor for 1000 requests a second. */
export function vcpuOfDifference(full: readonly number[], bare: readonly number[]): readonly number[] {
  return full.flatMap((ms, round) => {
    const other = bare[round];
    return other === undefined ? [] : [ms - other];
  });
}

function proxyFigures({ entries }: Measured["proxy"]): ProxyFigures | undefined {
  const bare = entries.find(({ name }) => name === PURSER);
  const full = entries.find(({ name }) => name === PURSER_FULL);
  if (bare === undefined || full === undefined) return undefined;
  const [bareMs, fullMs] = [bare.cpuPerRequest(JUDGED_WORKLOAD), full.cpuPerRequest(JUDGED_WORKLOAD)];
  const differences = vcpuOfDifference(fullMs, bareMs);
  const runs = [bare, full].flatMap(({ runs }) => runs.get(JUDGED_WORKLOAD) ?? []);
  return {
    bare_cpu_ms_per_1000: rounded(median(bareMs) * 1000),
    full_cpu_ms_per_1000: rounded(median(fullMs) * 1000),
    vcpu_per_1000_rps: rounded(median(differences), 4),
    rounds: differences.map((vcpu) => rounded(vcpu, 4)),
    foreign_share: rounded(Math.max(...runs.map(({ foreignShare }) => foreignShare))),
  };
}
