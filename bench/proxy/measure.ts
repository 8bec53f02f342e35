// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Progress } from "../../tools/progress.ts";
import { CONTENDERS } from "./contenders/index.ts";
import type { Ready, Site } from "./contenders/contender.ts";
import { Entry, rotated } from "./entry.ts";
import { MAX_RATE, type PacedLoad, runPaced } from "./load/paced.ts";
import { median } from "./load/statistics.ts";
import { JUDGED_WORKLOAD, WORKLOADS, type Workload } from "./load/workloads.ts";
import { runWrk, writeScript } from "./load/wrk.ts";
import type { Children } from "../machine/children.ts";
import { type Cores, moveTo } from "../machine/cores.ts";
import type { Flags } from "./options.ts";
import { startUpstream } from "./upstream.ts";

export interface Options extends Flags {
  readonly cores: Cores;
  /** Whether to leave out the cold load and the half load; default false. */
  readonly fullLoadOnly?: boolean;
}

export interface Measured {
  readonly entries: readonly Entry[];
  /** The reason for each contender that cannot run. */
  readonly missing: Readonly<Record<string, string>>;
}

/** Rate and greatest length of the first load after a start, for which V8 has compiled nothing yet. */
const COLD = { rate: 2_000, seconds: 5 };
/** Greatest time at full load with each workload after the first one: most of the code is compiled by then. */
const FURTHER_WARM_UP_SECONDS = 4;

/** Measures all contenders in turn. Everything that it starts is in `children`, also when it fails. */
export async function measure(options: Options, children: Children, progress: Progress): Promise<Measured> {
  const folder = mkdtempSync(join(tmpdir(), "purser-bench-"));
  const removeFolder = (): void => rmSync(folder, { recursive: true, force: true });
  process.once("exit", removeFolder);
  try {
    moveTo(options.cores.load);
    progress.at("the upstream");
    const upstreamPort = await startUpstream(children, options.cores.load, folder);
    const site: Site = { upstreamPort, folder, node: options.node, cores: options.cores };
    const { ready, missing } = await prepareAll(options, site, progress);
    const run = new Run(options, children, progress, folder);
    const entries: Entry[] = [];
    for (const [name, contender] of ready) {
      const entry = await run.begin(name, contender);
      if (entry instanceof Entry) entries.push(entry);
      else missing[name] = entry.missing;
    }
    for (let round = 0; round < options.rounds; round++) await run.round(round, entries, upstreamPort);
    for (const entry of entries) await entry.end();
    return { entries, missing };
  } finally {
    await children.stopAll();
    removeFolder();
    process.removeListener("exit", removeFolder);
  }
}

async function prepareAll(
  { only }: Options,
  site: Site,
  progress: Progress,
): Promise<{ ready: Map<string, Ready>; missing: Record<string, string> }> {
  const ready = new Map<string, Ready>();
  const missing: Record<string, string> = {};
  for (const contender of CONTENDERS.filter(({ name }) => only.includes(name))) {
    progress.at(`preparing ${contender.name}`);
    const prepared = await contender.prepare(site);
    if ("missing" in prepared) missing[contender.name] = prepared.missing;
    else ready.set(contender.name, prepared);
  }
  return { ready, missing };
}

class Run {
  readonly #options: Options;
  readonly #children: Children;
  readonly #progress: Progress;
  readonly #workloads: readonly Workload[];
  readonly #scripts: ReadonlyMap<string, string>;
  readonly #folder: string;

  constructor(options: Options, children: Children, progress: Progress, folder: string) {
    this.#options = options;
    this.#children = children;
    this.#progress = progress;
    this.#folder = folder;
    // The judged workload comes first, so that V8 compiles the code for it before it sees the others.
    this.#workloads = WORKLOADS.filter(({ name }) => options.workloads.includes(name)).sort(
      (a, b) => Number(b.name === JUDGED_WORKLOAD) - Number(a.name === JUDGED_WORKLOAD),
    );
    this.#scripts = new Map(this.#workloads.map((each) => [each.name, writeScript(folder, each)]));
  }

  /**
   * Starts the contender as often as there are rounds, keeps the last one, warms it up and suspends it. Resolves with the
   * reason when it does not start.
   */
  async begin(name: string, ready: Ready): Promise<Entry | { readonly missing: string }> {
    const { rounds, warmUp, cores } = this.#options;
    const entry = new Entry(name, ready, this.#children, cores, this.#folder);
    for (let start = 0; start < rounds; start++) {
      this.#progress.at(`${name}: start ${start + 1} of ${rounds}`);
      if (start > 0) await entry.stop();
      try {
        await entry.start();
      } catch (error) {
        await entry.stop();
        return { missing: error instanceof Error ? error.message : String(error) };
      }
    }
    if (entry.isProxy && this.#options.fullLoadOnly !== true) await this.#cold(entry);
    for (const [index, workload] of this.#workloads.entries()) {
      const seconds = index === 0 ? warmUp : Math.min(warmUp, FURTHER_WARM_UP_SECONDS);
      this.#progress.at(`${name}: warming up with ${workload.name}`);
      await entry.warmUp(() => this.#wrk(entry, workload, seconds));
    }
    entry.rest();
    return entry;
  }

  async #cold(entry: Entry): Promise<void> {
    const seconds = Math.min(COLD.seconds, this.#options.seconds);
    this.#progress.at(`${entry.name}: the first ${seconds} s under load`);
    entry.cold = await this.#paced(entry.port, COLD.rate, seconds);
    entry.answered += entry.cold.answered;
  }

  async round(round: number, entries: readonly Entry[], upstreamPort: number): Promise<void> {
    const { rounds, seconds } = this.#options;
    for (const workload of this.#workloads) {
      for (const entry of rotated(entries, round)) {
        this.#progress.at(`round ${round + 1} of ${rounds}: ${workload.name}, ${entry.name}`);
        await entry.timed(workload.name, () => this.#wrk(entry, workload, seconds));
      }
    }
    if (this.#options.fullLoadOnly === true) return;
    for (const entry of rotated(entries, round)) {
      if (!entry.isProxy) continue;
      this.#progress.at(`round ${round + 1} of ${rounds}: half load, ${entry.name}`);
      const rate = Math.min(MAX_RATE, Math.round(median(entry.throughput(this.#halfLoad.name)) / 2));
      if (!(rate >= 1)) continue;
      const through = await entry.turn(() => this.#paced(entry.port, rate, seconds));
      const direct = await this.#paced(upstreamPort, rate, seconds);
      entry.half.push({ through, direct });
      entry.answered += through.answered;
      entry.truncateLog();
    }
  }

  get #halfLoad(): Workload {
    const judged = this.#workloads.find(({ name }) => name === JUDGED_WORKLOAD) ?? this.#workloads[0];
    if (judged === undefined) throw new Error("no workload is chosen");
    return judged;
  }

  #wrk(entry: Entry, { name }: Workload, seconds: number): ReturnType<typeof runWrk> {
    const script = this.#scripts.get(name) ?? "";
    return runWrk(this.#children, { core: this.#options.cores.load, script, port: entry.port, seconds });
  }

  /** The load at a fixed rate has GET requests only; half load is that of the judged workload. */
  #paced(port: number, rate: number, seconds: number): Promise<PacedLoad> {
    const { path, method } = this.#halfLoad;
    const core = this.#options.cores.load;
    return runPaced(this.#children, { core, port, rate, seconds, path: method === "GET" ? path : "/1k" });
  }
}
