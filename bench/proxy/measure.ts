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
import type { FullLoad, Loader } from "./load/full-load.ts";
import type { Workload } from "./load/workloads.ts";
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
    const { node, cores, protocol } = options;
    const { isGrpc = false } = protocol;
    const upstreamPort = await startUpstream(children, cores.load, folder, isGrpc);
    const certificate = protocol.makeCertificate?.(folder);
    const site: Site = { upstreamPort, folder, node, cores, isGrpc, ...(certificate && { certificate }) };
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
  { only, protocol }: Options,
  site: Site,
  progress: Progress,
): Promise<{ ready: Map<string, Ready>; missing: Record<string, string> }> {
  const ready = new Map<string, Ready>();
  const missing: Record<string, string> = {};
  for (const contender of CONTENDERS.filter(({ name }) => only.includes(name))) {
    progress.at(`preparing ${contender.name}`);
    const prepared = await contender.prepare(site);
    if ("missing" in prepared) missing[contender.name] = prepared.missing;
    else ready.set(contender.name, { ...prepared, isAnswering: protocol.isAnswering });
  }
  return { ready, missing };
}

class Run {
  readonly #options: Options;
  readonly #children: Children;
  readonly #progress: Progress;
  readonly #workloads: readonly Workload[];
  readonly #loaders: ReadonlyMap<string, Loader>;
  readonly #folder: string;

  constructor(options: Options, children: Children, progress: Progress, folder: string) {
    this.#options = options;
    this.#children = children;
    this.#progress = progress;
    this.#folder = folder;
    const { protocol } = options;
    this.#workloads = protocol.workloads
      .filter(({ name }) => options.workloads.includes(name))
      .sort((a, b) => Number(b.name === protocol.judged) - Number(a.name === protocol.judged));
    this.#loaders = new Map(this.#workloads.map((each) => [each.name, protocol.loader(folder, each)]));
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
    if (entry.isProxy && this.#isPaced) await this.#cold(entry);
    for (const [index, workload] of this.#workloads.entries()) {
      const seconds = index === 0 ? warmUp : Math.min(warmUp, FURTHER_WARM_UP_SECONDS);
      this.#progress.at(`${name}: warming up with ${workload.name}`);
      await entry.warmUp(() => this.#full(entry, workload, seconds));
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
        await entry.timed(workload.name, () => this.#full(entry, workload, seconds));
      }
    }
    if (!this.#isPaced) return;
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

  get #isPaced(): boolean {
    return this.#options.protocol.isPaced && this.#options.fullLoadOnly !== true;
  }

  get #halfLoad(): Workload {
    const judged =
      this.#workloads.find(({ name }) => name === this.#options.protocol.judged) ?? this.#workloads[0];
    if (judged === undefined) throw new Error("no workload is chosen");
    return judged;
  }

  #full(entry: Entry, { name }: Workload, seconds: number): Promise<FullLoad> {
    const load = this.#loaders.get(name);
    if (load === undefined) throw new Error(`no loader for ${name}`);
    return load(this.#children, { core: this.#options.cores.load, port: entry.port, seconds });
  }

  /** The load at a fixed rate has GET requests only; half load is that of the judged workload. */
  #paced(port: number, rate: number, seconds: number): Promise<PacedLoad> {
    const { path, method } = this.#halfLoad;
    const core = this.#options.cores.load;
    return runPaced(this.#children, { core, port, rate, seconds, path: method === "GET" ? path : "/1k" });
  }
}
