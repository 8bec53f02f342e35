// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Progress } from "../../tools/progress.ts";
import type { CommonFlags } from "../flags.ts";
import type { Children } from "../machine/children.ts";
import { type Cores, moveTo } from "../machine/cores.ts";
import { program } from "../machine/repository.ts";
import { PURSER, PURSER_FULL } from "../proxy/contenders/purser.ts";
import { Entry, rotated } from "../proxy/entry.ts";
import { JUDGED_WORKLOAD } from "../proxy/load/workloads.ts";
import type { FullLoad } from "../proxy/load/full-load.ts";
import { runWrk } from "../proxy/load/wrk.ts";
import * as proxy from "../proxy/measure.ts";
import { HTTP1 } from "../proxy/protocol.ts";
import { CONTENDERS, prepareMixer } from "./contenders.ts";
import { type Counts, countsBetween, drained, readCounts } from "./deliveries.ts";
import type { Increments } from "./increments.ts";
import { type RunningReceivers, startReceivers } from "./receivers.ts";
import { writeReportScript } from "./report-requests.ts";

export interface Options extends CommonFlags {
  readonly cores: Cores;
}

/** A mixer under measurement, with what its handlers got in each round. */
export interface MixerEntry {
  readonly entry: Entry;
  readonly rounds: Counts[];
}

export interface Measured {
  readonly increments: Increments;
  readonly mixers: readonly MixerEntry[];
  /** The reason for each contender that cannot run. */
  readonly missing: Readonly<Record<string, string>>;
  readonly proxy: proxy.Measured;
}

/** The name under which an entry keeps its runs. */
export const WORKLOAD = "report";

/** Measures all three parts. Everything that it starts is in `children`, or ends with this function. */
export async function measure(options: Options, children: Children, progress: Progress): Promise<Measured> {
  const { cores, node } = options;
  moveTo(cores.load);
  progress.at("increments of a counter");
  const output = await children.output(cores.proxy, [node, program("increments", "telemetry")]);
  const increments = JSON.parse(output) as Increments;
  const reports = await measureReports(options, children, progress);
  const ofProxy = await proxy.measure(
    {
      ...options,
      protocol: HTTP1,
      only: [PURSER, PURSER_FULL],
      workloads: [JUDGED_WORKLOAD],
      fullLoadOnly: true,
    },
    children,
    progress,
  );
  return { increments, ...reports, proxy: ofProxy };
}

async function measureReports(
  options: Options,
  children: Children,
  progress: Progress,
): Promise<Pick<Measured, "mixers" | "missing">> {
  const { cores, node } = options;
  const folder = mkdtempSync(join(tmpdir(), "purser-telemetry-bench-"));
  const removeFolder = (): void => rmSync(folder, { recursive: true, force: true });
  process.once("exit", removeFolder);
  let receivers: RunningReceivers | undefined;
  try {
    progress.at("the receivers");
    receivers = await startReceivers(children, cores.load, folder, node);
    const script = writeReportScript(folder);
    const run = new Run(options, children, progress, script);
    const missing: Record<string, string> = {};
    const mixers: MixerEntry[] = [];
    for (const contender of CONTENDERS) {
      const ready = await prepareMixer(contender, receivers, folder, node);
      if ("missing" in ready) missing[contender.name] = ready.missing;
      else mixers.push(await run.begin(new Entry(contender.name, ready, children, cores, folder)));
    }
    for (let round = 0; round < options.rounds; round++) await run.round(round, mixers);
    for (const { entry } of mixers) await entry.end();
    return { mixers, missing };
  } finally {
    await children.stopAll();
    await receivers?.stop();
    removeFolder();
    process.removeListener("exit", removeFolder);
  }
}

class Run {
  readonly #options: Options;
  readonly #children: Children;
  readonly #progress: Progress;
  readonly #script: string;

  constructor(options: Options, children: Children, progress: Progress, script: string) {
    this.#options = options;
    this.#children = children;
    this.#progress = progress;
    this.#script = script;
  }

  /** Starts the mixer, warms it up and suspends it. */
  async begin(entry: Entry): Promise<MixerEntry> {
    this.#progress.at(`${entry.name}: warming up`);
    await entry.start();
    await entry.warmUp(() => this.#load(entry, this.#options.warmUp));
    // A batch that is under way when its mixer is suspended would time out.
    await drained(entry.port);
    entry.rest();
    return { entry, rounds: [] };
  }

  async round(round: number, mixers: readonly MixerEntry[]): Promise<void> {
    const { rounds, seconds } = this.#options;
    for (const mixer of rotated(mixers, round)) {
      const { entry } = mixer;
      this.#progress.at(`round ${round + 1} of ${rounds}: reports, ${entry.name}`);
      await entry.timed(WORKLOAD, async () => {
        const before = await readCounts(entry.port);
        const figures = await this.#load(entry, seconds);
        // The time of the run includes the delivery of all that is queued, so that its CPU time does.
        mixer.rounds.push(countsBetween(before, await drained(entry.port)));
        return figures;
      });
      if (entry.throughput(WORKLOAD).at(-1) === 0)
        throw new Error(`${entry.name} answered nothing in round ${round + 1}: run again on a quiet machine`);
    }
  }

  #load({ port }: Entry, seconds: number): Promise<FullLoad> {
    const core = this.#options.cores.load;
    return runWrk(this.#children, { core, script: this.#script, port, seconds });
  }
}
