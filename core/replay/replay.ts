// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { ChangeTable, type ChangeFinding } from "./changes.ts";
import { type Count, Counter, CounterTable } from "./count.ts";
import { QuotaSimulation, type QuotaFinding } from "./quota-simulation.ts";
import type { LogRecord } from "./record.ts";
import { unreliableReads, type UnreliableRead } from "./reliability.ts";
import type { Judgement, ReplaySet } from "./replay-set.ts";
import { SeriesTable, type SeriesFinding } from "./series.ts";
import { changeBetween, isQuotaRefusal, recordedOutcome } from "./request-outcome.ts";

export interface ReplayOptions {
  readonly candidate: ReplaySet;
  /** Documents to compare the candidate with; default: the recorded decisions. */
  readonly baseline?: ReplaySet;
  /** Number of examples kept for each change and document. */
  readonly maxExamples: number;
}

export interface ReplayReport {
  readonly against: "recording" | "baseline";
  /** Number of replayed records. */
  readonly requests: Count;
  /** When the first and the last record ended. */
  readonly first?: string;
  readonly last?: string;
  /** Records without a check, for which only metrics are compared. */
  readonly unchecked: Count;
  readonly unchanged: Count;
  readonly changes: readonly ChangeFinding[];
  /** Faults by document and cause, whether or not they changed a decision. */
  readonly faults: readonly ({ readonly name: string } & Count)[];
  readonly quotas: readonly ComparedQuota[];
  /** Records older than an earlier one, and charges that could not be counted. */
  readonly quotaNotes: { readonly late: number; readonly uncounted: number };
  readonly series: readonly SeriesFinding[];
  readonly unreliable: readonly (UnreliableRead & Count)[];
}

/** A quota's findings, and its refusals before: in the recording, or by the baseline on the same time. */
export interface ComparedQuota extends QuotaFinding {
  readonly refusedBefore: Count;
}

const NONE: Count = { observed: 0, estimated: 0 };

/** Replays recorded requests with a candidate, one after another. Memory is bounded for any log. */
export class Replay {
  readonly #options: ReplayOptions;
  readonly #changes: ChangeTable;
  readonly #quotas: QuotaSimulation;
  readonly #baselineQuotas: QuotaSimulation | undefined;
  readonly #recordedRefusals = new CounterTable();
  readonly #series = new SeriesTable();
  readonly #baselineSeries: SeriesTable | undefined;
  readonly #faults = new CounterTable();
  readonly #unreliable = new CounterTable();
  readonly #requests = new Counter();
  readonly #unchecked = new Counter();
  readonly #unchanged = new Counter();
  #first: string | undefined;
  #last: string | undefined;

  constructor(options: ReplayOptions) {
    const { candidate, baseline, maxExamples } = options;
    this.#options = options;
    this.#changes = new ChangeTable(maxExamples);
    this.#quotas = new QuotaSimulation(candidate.snapshot.quotaPolicies);
    if (baseline === undefined) return;
    this.#baselineQuotas = new QuotaSimulation(baseline.snapshot.quotaPolicies);
    this.#baselineSeries = new SeriesTable();
  }

  async take(record: LogRecord): Promise<void> {
    const { candidate, baseline } = this.#options;
    this.#requests.add(record.weight);
    this.#first ??= record.line.time;
    this.#last = record.line.time;
    for (const metric of await candidate.metrics(record)) this.#series.add(metric);
    if (baseline !== undefined) {
      for (const metric of await baseline.metrics(record)) this.#baselineSeries?.add(metric);
    }
    if (record.line.decision.checked) await this.#compare(record);
    else this.#unchecked.add(record.weight);
  }

  report(topKeys: number): ReplayReport {
    const { baseline } = this.#options;
    return {
      against: baseline === undefined ? "recording" : "baseline",
      requests: this.#requests.count,
      ...(this.#first === undefined ? {} : { first: this.#first }),
      ...(this.#last === undefined ? {} : { last: this.#last }),
      unchecked: this.#unchecked.count,
      unchanged: this.#unchanged.count,
      changes: this.#changes.findings(),
      faults: this.#faults.top(),
      quotas: this.#comparedQuotas(topKeys),
      quotaNotes: { late: this.#quotas.late, uncounted: this.#quotas.uncounted },
      series: this.#series.findings(this.#baselineSeries),
      unreliable: this.#unreliable.top().map(({ name, ...count }) => {
        const [reason, attribute] = splitOnce(name);
        return { attribute, reason: reason as UnreliableRead["reason"], ...count };
      }),
    };
  }

  async #compare(record: LogRecord): Promise<void> {
    const { candidate, baseline } = this.#options;
    const { line, weight, requestTimeMs, durationMs } = record;
    const endMs = durationMs === undefined ? undefined : requestTimeMs + durationMs;
    const after = await candidate.judge(record);
    const before = await baseline?.judge(record);
    const unreliable = unreliableReads(after.referenced, line);
    for (const { reason, attribute } of unreliable) this.#unreliable.add(`${reason} ${attribute}`, weight);
    this.#noteFaults(after, weight);
    const outcomes = [before?.outcome ?? recordedOutcome(line.decision), after.outcome] as const;
    const change = changeBetween(...outcomes);
    if (change === undefined) this.#unchanged.add(weight);
    else this.#changes.add(change, record, outcomes, unreliable);
    this.#quotas.charge(after.charges, requestTimeMs, weight, endMs);
    if (before !== undefined) this.#baselineQuotas?.charge(before.charges, requestTimeMs, weight, endMs);
    if (isQuotaRefusal(line.decision)) this.#recordedRefusals.add(line.decision.policy ?? "", weight);
  }

  #noteFaults({ faults }: Judgement, weight: number): void {
    for (const { document, fault } of faults) this.#faults.add(`${document}: ${fault.detail}`, weight);
  }

  #comparedQuotas(topKeys: number): readonly ComparedQuota[] {
    const before = new Map<string, Count>(
      this.#baselineQuotas === undefined
        ? this.#recordedRefusals.top().map(({ name, ...count }) => [name, count])
        : this.#baselineQuotas.findings(0).map(({ policy, refused }) => [policy, refused]),
    );
    return this.#quotas
      .findings(topKeys)
      .map((finding) => ({ ...finding, refusedBefore: before.get(finding.policy) ?? NONE }));
  }
}

function splitOnce(text: string): readonly [string, string] {
  const space = text.indexOf(" ");
  return [text.slice(0, space), text.slice(space + 1)];
}
