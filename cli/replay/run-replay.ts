// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { Replay } from "../../core/replay/replay.ts";
import type { World } from "../world.ts";
import { type FindingName, findingsIn } from "./findings.ts";
import { type LoadedSet, loadSet } from "./load-set.ts";
import type { Progress } from "./progress.ts";
import { LogReader } from "./read-logs.ts";
import type { ReplayOutcome } from "./text.ts";

export interface ReplayFlags {
  readonly log: readonly string[];
  readonly candidate: readonly string[];
  readonly baseline?: readonly string[];
  /** Examples of each change and document, and keys of each quota. */
  readonly examples: number;
  readonly failOn: readonly FindingName[];
  /** Records replayed at most. */
  readonly limit?: number;
  /** In milliseconds since the epoch. */
  readonly since?: number;
  readonly until?: number;
  readonly strict: boolean;
}

/**
 * Puts the records of the logs to the candidate.
 *
 * @throws {PurserError} PURSER_CONFIG_REJECTED, PURSER_REPLAY_LOG.
 */
export async function runReplay(
  flags: ReplayFlags,
  world: World,
  progress: Progress,
): Promise<ReplayOutcome> {
  const loaded: LoadedSet[] = [];
  const load = async (paths: readonly string[]): Promise<LoadedSet> => {
    const set = await loadSet(paths, world);
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
    await takeAll(reader, replay, flags.limit ?? Number.POSITIVE_INFINITY, progress);
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

async function takeAll(reader: LogReader, replay: Replay, limit: number, progress: Progress): Promise<void> {
  let done = 0;
  if (limit === 0) return;
  for await (const record of reader.records()) {
    await replay.take(record);
    progress.step(++done);
    if (done >= limit) return;
  }
}
