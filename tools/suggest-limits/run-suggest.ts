// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { ConfigRejected } from "../../config/config-rejected.ts";
import type { QuotaPolicy } from "../../core/snapshot/snapshot.ts";
import { CounterTable } from "../../core/replay/count.ts";
import type { LogRecord } from "../../core/replay/record.ts";
import { unreliableReads } from "../../core/replay/reliability.ts";
import { ReplaySet } from "../../core/replay/replay-set.ts";
import { parseDurationMs } from "../../kernel/duration.ts";
import { PurserError } from "../../kernel/errors.ts";
import type { CheckText } from "../read-snapshot.ts";
import type { Progress } from "../replay/progress.ts";
import { LogReader, type ReadLogsOptions } from "../replay/read-logs.ts";
import { ChargeLog, type ChargeLogBounds, DEFAULT_BOUNDS, KeySet } from "./charge-log.ts";
import { LimitSearch, type ShareOf } from "./limit-search.ts";
import { LimitTrial } from "./limit-trial.ts";
import { policyText, type ProposedPolicy } from "./policy-text.ts";
import { counted, type Proposal, type Suggestion, warningsOf } from "./suggestion.ts";

export interface SuggestFlags extends ProposedPolicy {
  /** Target shares, from 0 to 1. */
  readonly shares: readonly number[];
  /** Share of the log's time that limits are searched in, from 0 to 1; the rest is held out. */
  readonly train: number;
  /** In milliseconds since the epoch. */
  readonly since?: number;
  readonly until?: number;
  readonly strict: boolean;
}

const SHARES_OF: readonly ShareOf[] = ["requests", "keys"];

/**
 * Proposes limits for the requests of decision logs. Reads the logs twice: for their time, then for the
 * charges.
 *
 * @throws {PurserError} PURSER_CONFIG_REJECTED for a faulty expression; PURSER_REPLAY_LOG, PURSER_REPLAY_EMPTY;
 *   PURSER_SUGGEST_BOUND when the log has too many requests or keys.
 */
export async function runSuggest(
  paths: readonly string[],
  flags: SuggestFlags,
  checkText: CheckText,
  progress: Progress,
  bounds: ChargeLogBounds = DEFAULT_BOUNDS,
): Promise<Suggestion> {
  const { set, policy } = policyFor(flags, checkText);
  const options: ReadLogsOptions = {
    paths,
    sinceMs: flags.since ?? Number.NEGATIVE_INFINITY,
    untilMs: flags.until ?? Number.POSITIVE_INFINITY,
    strict: flags.strict,
  };
  try {
    const range = await timesOf(options, progress);
    const splitMs = Math.ceil(range.firstMs + (range.lastMs - range.firstMs) * flags.train);
    const parts = new LogParts(set, policy, splitMs, flags.shares, bounds);
    // Lines appended since the first reading are left out.
    const reader = new LogReader({ ...options, untilMs: range.lastMs + 1 });
    for await (const record of reader.records()) await parts.take(record);
    return suggestionOf(parts, range, splitMs, flags);
  } finally {
    progress.end();
  }
}

/** The policy's documents with a limit of 1, which each trial replaces. */
function policyFor(flags: SuggestFlags, checkText: CheckText) {
  const checked = checkText({ path: "(proposed policy)", text: policyText("proposed", flags, 1) });
  if (!checked.ok) throw new ConfigRejected(checked.diagnostics);
  const set = new ReplaySet(checked.value, { attributeSources: [], ask: () => undefined });
  return { set, policy: checked.value.quotaPolicies[0] as QuotaPolicy };
}

interface LogRange {
  readonly requests: number;
  readonly firstMs: number;
  readonly lastMs: number;
  readonly malformed: LogReader["malformed"];
}

/** Times are those of the requests' ends, by which replay's --since selects. */
async function timesOf(options: ReadLogsOptions, progress: Progress): Promise<LogRange> {
  const reader = new LogReader(options);
  let [requests, firstMs, lastMs] = [0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for await (const { timeMs } of reader.records()) {
    firstMs = Math.min(firstMs, timeMs);
    lastMs = Math.max(lastMs, timeMs);
    progress.step(++requests);
  }
  const { malformed, outside } = reader;
  if (requests === 0)
    throw new PurserError(
      "PURSER_REPLAY_EMPTY",
      `no request in ${options.paths.join(", ")}: ${counted(malformed.count, "malformed line")}, ${outside} outside --since and --until`,
    );
  return { requests, firstMs, lastMs, malformed };
}

/** Takes the records in their order: searches limits in the first part, and tries them on the second. */
class LogParts {
  readonly searched: ChargeLog;
  readonly heldOutKeys: KeySet;
  readonly faults = new CounterTable();
  readonly unreliable = new CounterTable();
  heldOutCharges = 0;
  unchecked = 0;
  readonly #set: ReplaySet;
  readonly #policy: QuotaPolicy;
  readonly #splitMs: number;
  readonly #shares: readonly number[];
  readonly #bounds: ChargeLogBounds;
  #proposals: readonly Proposal[] | undefined;
  #trials: readonly LimitTrial[] = [];

  constructor(
    set: ReplaySet,
    policy: QuotaPolicy,
    splitMs: number,
    shares: readonly number[],
    bounds: ChargeLogBounds,
  ) {
    this.#set = set;
    this.#policy = policy;
    this.#splitMs = splitMs;
    this.#shares = shares;
    this.#bounds = bounds;
    this.searched = new ChargeLog(bounds);
    this.heldOutKeys = new KeySet(bounds.maxKeys);
  }

  async take(record: LogRecord): Promise<void> {
    if (!record.line.decision.checked) {
      this.unchecked++;
      return;
    }
    const { charges, faults, referenced } = await this.#set.judge(record);
    for (const { fault } of faults) this.faults.add(fault.detail, record.weight);
    for (const { reason, attribute } of unreliableReads(referenced, record.line))
      this.unreliable.add(`${attribute} is ${reason}`, record.weight);
    const { requestTimeMs, weight } = record;
    for (const charge of charges)
      if (record.timeMs < this.#splitMs) this.searched.add(charge, requestTimeMs, weight);
      else this.#check(charge, requestTimeMs, weight);
  }

  /** The proposals with the shares of the held-out records taken so far. */
  proposals(): readonly Proposal[] {
    return this.#searchedProposals().map((proposal) => {
      const trial = this.#trials.find(({ limit }) => limit === proposal.limit);
      const heldOut = trial?.shares(this.heldOutKeys.size);
      return heldOut === undefined ? proposal : { ...proposal, heldOut };
    });
  }

  get notes(): { readonly late: number; readonly uncounted: number } {
    return this.#trials[0]?.notes ?? { late: 0, uncounted: 0 };
  }

  #check(
    { cell, amount }: { readonly cell: string; readonly amount: number },
    timeMs: number,
    weight: number,
  ) {
    this.#searchedProposals();
    this.heldOutCharges++;
    this.heldOutKeys.numberOf(cell);
    for (const trial of this.#trials) trial.charge({ cell, amount, timeMs, weight });
  }

  #searchedProposals(): readonly Proposal[] {
    if (this.#proposals !== undefined) return this.#proposals;
    const search = new LimitSearch(this.searched, this.#policy);
    this.#proposals = SHARES_OF.flatMap((of) =>
      this.#shares.map((share) => {
        const limit = search.smallest(share, of);
        return { share, of, limit, searched: search.shares(limit) };
      }),
    );
    const limits = new Set(this.#proposals.map(({ limit }) => limit));
    this.#trials = [...limits].map((limit) => new LimitTrial(this.#policy, limit, this.#bounds.maxKeys));
    return this.#proposals;
  }
}

function suggestionOf(parts: LogParts, range: LogRange, splitMs: number, flags: SuggestFlags): Suggestion {
  const { searched, heldOutCharges, heldOutKeys, unchecked } = parts;
  if (searched.size === 0)
    throw new PurserError(
      "PURSER_REPLAY_EMPTY",
      `no request before ${isoTime(splitMs)} matches: ${range.requests} in the log, ${unchecked} of them unchecked`,
    );
  const windowMs = parseDurationMs(flags.window) as number;
  const facts = {
    searched: {
      charges: searched.size,
      keys: searched.keys,
      windows: (splitMs - range.firstMs) / windowMs,
    },
    heldOut: {
      charges: heldOutCharges,
      keys: heldOutKeys.size,
      windows: (range.lastMs - splitMs) / windowMs,
    },
    proposals: parts.proposals(),
  };
  return {
    policy: { window: flags.window, algorithm: flags.algorithm },
    requests: range.requests,
    unchecked,
    first: isoTime(range.firstMs),
    last: isoTime(range.lastMs),
    split: isoTime(splitMs),
    ...facts,
    malformed: range.malformed,
    warnings: [...warningsOf(facts, flags.key.size > 0), ...doubtsOf(parts)],
  };
}

function doubtsOf({ faults, unreliable, notes: { late, uncounted } }: LogParts): readonly string[] {
  return [
    ...faults
      .top(3)
      .map(({ name, observed }) => `${counted(observed, "request")} could not be evaluated: ${name}`),
    ...unreliable.top().map(({ name, observed }) => `in ${counted(observed, "request")} ${name} by the log`),
    ...(late === 0
      ? []
      : [`${counted(late, "record")} came after younger ones, counted at the time of those`]),
    ...(uncounted === 0 ? [] : [`${counted(uncounted, "charge")} found no room, not counted`]),
  ];
}

function isoTime(timeMs: number): string {
  return new Date(timeMs).toISOString();
}
