// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { readFileSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Ready } from "./contenders/contender.ts";
import type { PacedLoad } from "./load/paced.ts";
import { median } from "./load/statistics.ts";
import type { FullLoad } from "./load/full-load.ts";
import { answersHttp } from "./probe.ts";
import type { Child, Children } from "../machine/children.ts";
import type { Cores } from "../machine/cores.ts";
import { coreBusyMs, cpuMs, residentMb } from "../machine/process-figures.ts";

const START_DEADLINE_MS = 30_000;
/** Pause between two questions whether the contender answers; the error of start-up times. */
const POLL_MS = 2;
/** Time for a resumed contender to run the timers and read the connections' ends that came during its rest. */
const RESUME_MS = 200;

const LINE_END = 10;

/** A run at full load with what it cost. */
export interface TimedRun extends FullLoad {
  /** CPU time of the contender's processes and of the services that it asks, in milliseconds. */
  readonly cpuMs: number;
  /** Share of the proxy's core that somebody else used meanwhile, 0 to 1: above 0.05 the run was disturbed. */
  readonly foreignShare: number;
}

/** A contender under measurement: its processes and its figures so far. */
export class Entry {
  readonly name: string;
  readonly version: string;
  readonly port: number;
  /** False of the upstream itself, which has no process of its own here. */
  readonly isProxy: boolean;
  /** From the command to the first answered request, in milliseconds, a value for each start. */
  readonly startupMs: number[] = [];
  /** Resident memory after the first answer, in megabytes. */
  readonly idleMb: number[] = [];
  /** Resident memory after all runs, in megabytes. */
  residentMb = 0;
  /** Requests that the load generators saw answered. */
  answered = 0;
  /** Lines of the contender's standard output, which holds the access log of one that has it. */
  logLines = 0;
  cold: PacedLoad | undefined;
  readonly half: { readonly through: PacedLoad; readonly direct: PacedLoad }[] = [];
  readonly runs = new Map<string, TimedRun[]>();

  readonly #ready: Ready;
  readonly #children: Children;
  readonly #cores: Cores;
  readonly #log: string;
  #child: Child | undefined;
  #helpers: readonly Child[] = [];

  constructor(name: string, ready: Ready, children: Children, cores: Cores, folder: string) {
    this.name = name;
    this.version = ready.version;
    this.port = ready.port;
    this.isProxy = ready.command.length > 0;
    this.#ready = ready;
    this.#children = children;
    this.#cores = cores;
    this.#log = join(folder, `${name}.log`);
  }

  async start(): Promise<void> {
    if (!this.isProxy) return;
    this.#helpers = (this.#ready.helpers ?? []).map((command) =>
      this.#children.start(this.#cores.proxy, command, `${this.#log}.helper`),
    );
    // The helpers are ready before the proxy asks them: they are no part of its start-up.
    if (this.#helpers.length > 0) await sleep(500);
    const isAnswering = this.#ready.isAnswering ?? answersHttp();
    const startMs = performance.now();
    const child = this.#children.start(this.#cores.proxy, this.#ready.command, this.#log);
    this.#child = child;
    while (!(await isAnswering(this.port))) {
      if (!child.isRunning() || performance.now() - startMs > START_DEADLINE_MS)
        throw new Error(`${this.name} did not answer: ${readFileSync(this.#log, "utf8").slice(-2_000)}`);
      await sleep(POLL_MS);
    }
    this.startupMs.push(performance.now() - startMs);
    this.idleMb.push(residentMb(child.pid));
  }

  async stop(): Promise<void> {
    await this.#child?.stop();
    await Promise.all(this.#helpers.map((helper) => helper.stop()));
  }

  async end(): Promise<void> {
    if (this.#child === undefined) return;
    this.residentMb = residentMb(this.#child.pid);
    await this.stop();
    this.truncateLog();
  }

  /** Suspends the contender and its helpers: timers, GC and compiler threads would disturb the one whose turn it is. */
  rest(): void {
    for (const child of this.#processes()) child.suspend();
  }

  /** Resumes the contender for the time of the work. */
  async turn<T>(work: () => Promise<T>): Promise<T> {
    for (const child of this.#processes()) child.resume();
    await sleep(RESUME_MS);
    try {
      return await work();
    } finally {
      this.rest();
    }
  }

  /** Loads the contender before anything is timed, so that V8 has compiled the code of the timed runs. */
  async warmUp(load: () => Promise<FullLoad>): Promise<void> {
    this.answered += (await load()).requests;
    this.truncateLog();
  }

  /** Runs the load in a turn of the contender, and keeps its figures under the workload's name. */
  async timed(workload: string, load: () => Promise<FullLoad>): Promise<void> {
    await this.turn(() => this.#timed(workload, load));
    this.truncateLog();
  }

  async #timed(workload: string, load: () => Promise<FullLoad>): Promise<void> {
    const startMs = performance.now();
    const before = this.#consumed();
    const figures = await load();
    const after = this.#consumed();
    const ownMs = after.ownMs - before.ownMs;
    const foreignMs = Math.max(0, after.coreMs - before.coreMs - ownMs);
    const foreignShare = foreignMs / (performance.now() - startMs);
    const runs = this.runs.get(workload) ?? [];
    this.answered += figures.requests;
    this.runs.set(workload, [...runs, { ...figures, cpuMs: ownMs, foreignShare }]);
  }

  /** CPU time of a request in each round of the workload, in milliseconds. */
  cpuPerRequest(workload: string): readonly number[] {
    return (this.runs.get(workload) ?? []).map((run) => run.cpuMs / run.requests);
  }

  /** Requests a second of each round of the workload. */
  throughput(workload: string): readonly number[] {
    return (this.runs.get(workload) ?? []).map(({ requestsPerSecond }) => requestsPerSecond);
  }

  /** The median of what the proxy adds to the upstream's own p99 at the same rate, in milliseconds. */
  addedP99Ms(): number {
    return median(this.half.map(({ through, direct }) => through.p99Ms - direct.p99Ms));
  }

  /** Counts and drops the lines that the contender has written, access logs above all, so that no disk fills. */
  truncateLog(): void {
    if (!this.isProxy) return;
    for (const byte of readFileSync(this.#log)) if (byte === LINE_END) this.logLines++;
    truncateSync(this.#log);
  }

  #processes(): readonly Child[] {
    return this.#child === undefined ? [] : [this.#child, ...this.#helpers];
  }

  #consumed(): { readonly ownMs: number; readonly coreMs: number } {
    return {
      ownMs: this.#processes().reduce((sum, { pid }) => sum + cpuMs(pid), 0),
      coreMs: coreBusyMs(this.#cores.proxy),
    };
  }
}

/** The contenders in the order of a round: each round begins with another one, so that none always follows the same one. */
export function rotated<T>(entries: readonly T[], round: number): readonly T[] {
  const at = round % Math.max(1, entries.length);
  return [...entries.slice(at), ...entries.slice(0, at)];
}
