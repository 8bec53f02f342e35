// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { PurserError } from "../../kernel/errors.ts";
import { Replay } from "../../core/replay/replay.ts";
import type { Runtime } from "../../kernel/ports.ts";
import { type FindingName, findingsIn } from "./findings.ts";
import { type LoadedSet, loadSet } from "./load-set.ts";
import type { Progress } from "./progress.ts";
import type { ReadSnapshot } from "../read-snapshot.ts";
import { LogReader } from "./read-logs.ts";
import type { ReplayOutcome } from "./text.ts";

export interface ReplayFlags {
  readonly log: readonly string[];
  readonly candidate: readonly string[];
  readonly baseline?: readonly string[];
  /** Number of examples of each change and document, and of keys of each quota. */
  readonly examples: number;
  readonly failOn: readonly FindingName[];
  /** Most records to replay. */
  readonly limit?: number;
  /** Fewest records that the findings may rest on; default 1. */
  readonly minRequests?: number;
  /** In milliseconds since the epoch. */
  readonly since?: number;
  readonly until?: number;
  readonly strict: boolean;
}

/**
 * Replays the records of the logs with the candidate.
 *
 * @throws {PurserError} PURSER_CONFIG_REJECTED, PURSER_REPLAY_LOG, PURSER_REPLAY_EMPTY.
 */
export async function runReplay(
  flags: ReplayFlags,
  runtime: Runtime,
  readSnapshot: ReadSnapshot,
  progress: Progress,
): Promise<ReplayOutcome> {
  const loaded: LoadedSet[] = [];
  const load = async (paths: readonly string[]): Promise<LoadedSet> => {
    const set = await loadSet(paths, runtime, readSnapshot);
    loaded.push(set);
    return set;
  };
  try {
    const candidate = await load(flags.candidate);
    const baseline = flags.baseline === undefined ? undefined : await load(flags.baseline);
    const reader = new LogReader({
      paths: flags.log,
      sinceMs: flags.since ?? Number.NEGATIVE_INFINITY,
      untilMs: flags.until ?? Number.POSITIVE_INFINITY,
      strict: flags.strict,
    });
    const replay = new Replay({
      candidate: candidate.set,
      ...(baseline === undefined ? {} : { baseline: baseline.set }),
      maxExamples: flags.examples,
    });
    const limit = flags.limit ?? Number.POSITIVE_INFINITY;
    const taken = await takeAll(reader, replay, limit, progress);
    if (taken < (flags.minRequests ?? 1)) throw tooFewRequests(flags, reader, taken);
    const report = replay.report(flags.examples);
    return {
      report,
      malformed: reader.malformed,
      unanswered: candidate.unanswered,
      failed: findingsIn(report, flags.failOn),
    };
  } finally {
    progress.end();
    await Promise.all(loaded.map((set) => set.close()));
  }
}

/** Error for too few requests: an empty report would pass every `--fail-on`. */
function tooFewRequests(
  { log, minRequests }: ReplayFlags,
  { malformed, outside }: LogReader,
  taken: number,
): PurserError {
  const [first] = malformed.first;
  const reasons = [
    ...(outside === 0 ? [] : [`${outside} outside --since and --until`]),
    ...(first === undefined
      ? []
      : [`${malformed.count} malformed, the first at ${first.where}: ${first.problem}`]),
  ];
  const found = taken === 0 ? "no request" : `only ${taken} of ${minRequests} requests`;
  const empty = taken === 0 ? "the logs are empty" : "the logs have no other line";
  const lines = reasons.length === 0 ? empty : `lines: ${reasons.join("; ")}`;
  return new PurserError("PURSER_REPLAY_EMPTY", `${found} to replay in ${log.join(", ")}: ${lines}`);
}

/** @returns Number of records replayed. */
async function takeAll(
  reader: LogReader,
  replay: Replay,
  limit: number,
  progress: Progress,
): Promise<number> {
  let done = 0;
  if (limit === 0) return done;
  for await (const record of reader.records()) {
    await replay.take(record);
    progress.step(++done);
    if (done >= limit) return done;
  }
  return done;
}
