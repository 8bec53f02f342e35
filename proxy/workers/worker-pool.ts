// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { backoffMs } from "../../kernel/backoff.ts";
import { PurserError } from "../../kernel/errors.ts";
import type { LogLevel } from "../../kernel/log-level.ts";
import type { Runtime } from "../../kernel/ports.ts";
import type { ControlSurface, SurfaceAddress } from "../../server/http/control-surface.ts";
import { startAdminServer } from "../admin/admin-server.ts";
import { type ClusterRow, joinClusterRows } from "../admin/cluster-rows.ts";
import type { ListenerAddress } from "../listeners/listener-set.ts";
import { PoolMetrics } from "./pool-metrics.ts";
import { WorkerLink } from "./worker-link.ts";
import type { WorkerAnswers, WorkerProcess, WorkerQuestion } from "./worker-messages.ts";

export interface WorkerPoolOptions<S> extends Runtime {
  /** Number of workers, 1 or more. */
  readonly workers: number;
  /** Starts a worker process. */
  readonly fork: () => WorkerProcess<S>;
  /** The setup of a worker. @param number 1, 2 … */
  readonly setupOf: (number: number) => S;
  /** Address of the admin surface; absent for none. */
  readonly admin?: SurfaceAddress;
  /** Time that `POST /drain` gives to requests under way, in milliseconds. */
  readonly drainMs: number;
}

/** A worker that ran this long had started well: its failures are forgotten. */
const STEADY_MS = 10_000;

/**
 * Runs one proxy as several worker processes that share its listening ports. Each worker is a proxy of its own
 * towards the mixer, with its own decision cache and quota leases, so that a limit holds exactly whatever the
 * number of workers; the pool has the one admin surface, with the sums of the workers' counters. A worker that
 * ends unasked is replaced after a back-off.
 */
export class WorkerPool<S> {
  readonly #options: WorkerPoolOptions<S>;
  readonly #metrics = new PoolMetrics(() => this.#serving().length);
  readonly #links = new Map<number, WorkerLink<S>>();
  /** Number of times in a row that each worker ended early. */
  readonly #failures = new Map<number, number>();
  readonly #pending = new Set<() => void>();
  #listeners: readonly ListenerAddress[] = [];
  #admin: ControlSurface | undefined;
  /** The level that was last set; undefined while the workers have that of their setup. */
  #logLevel: LogLevel | undefined;
  #ending = false;
  #onExit: (() => void) | undefined;
  #onStarted: ((error: PurserError | undefined) => void) | undefined;

  constructor(options: WorkerPoolOptions<S>) {
    this.#options = options;
  }

  /**
   * Resolves when every worker listens.
   *
   * @throws {PurserError} the first worker's error, when one cannot start.
   */
  async start(): Promise<void> {
    const { workers, admin } = this.#options;
    if (admin !== undefined) this.#admin = await startAdminServer(this.#subject(), admin, this.#options);
    const started = new Promise<PurserError | undefined>((resolve) => (this.#onStarted = resolve));
    for (let number = 1; number <= workers; number++) this.#fork(number);
    const error = await started;
    this.#onStarted = undefined;
    if (error === undefined) return;
    await this.close(0);
    throw error;
  }

  addresses() {
    const admin = this.#admin;
    return {
      listeners: this.#listeners,
      admin: admin === undefined ? undefined : { name: "admin", host: admin.host, port: admin.port },
    };
  }

  /** Lets the workers finish the requests under way, for `deadlineMs` at most, then ends them. Idempotent. */
  async close(deadlineMs: number): Promise<void> {
    this.#drain(deadlineMs);
    const { scheduler } = this.#options;
    await new Promise<void>((resolve) => {
      const check = (): void => {
        if (this.#links.size > 0) return;
        cancel();
        resolve();
      };
      const cancel = scheduler.after(deadlineMs, () => {
        for (const link of this.#links.values()) link.kill();
      });
      this.#onExit = check;
      check();
    });
    await this.#admin?.close(0);
  }

  /** Changes the level that every worker logs from. */
  setLogLevel(level: LogLevel): void {
    this.#logLevel = level;
    for (const link of this.#links.values()) link.send({ kind: "log-level", level });
  }

  #drain(deadlineMs: number): void {
    this.#ending = true;
    for (const cancel of this.#pending) cancel();
    this.#pending.clear();
    for (const link of this.#links.values()) link.send({ kind: "drain", deadlineMs });
  }

  #fork(number: number): void {
    const { fork, setupOf, clock, scheduler, logger } = this.#options;
    const startMs = clock.monotonicMs();
    const link = new WorkerLink(number, fork(), setupOf(number), scheduler, {
      onListening: ({ listeners }) => {
        this.#listeners = listeners;
        // A message to a process that has just been forked is lost.
        if (this.#logLevel !== undefined) link.send({ kind: "log-level", level: this.#logLevel });
        logger.info("a worker serves requests", { worker: number, pid: link.pid });
        if (this.#serving().length === this.#options.workers) this.#onStarted?.(undefined);
      },
      onFailed: ({ code, message, details }) => {
        logger.error("a worker could not start", { worker: number, code, error: message });
        this.#onStarted?.(new PurserError(code, message, { details }));
      },
      onExit: (how) => {
        this.#links.delete(number);
        this.#metrics.retire(link.metrics);
        this.#onExit?.();
        if (this.#ending) return;
        this.#replace(number, link.pid, how, clock.monotonicMs() - startMs);
      },
    });
    this.#links.set(number, link);
  }

  #replace(number: number, pid: number, how: string, livedMs: number): void {
    const { scheduler, random, logger } = this.#options;
    const failures = livedMs >= STEADY_MS ? 0 : (this.#failures.get(number) ?? 0) + 1;
    this.#failures.set(number, failures);
    const pauseMs = failures === 0 ? 0 : Math.round(backoffMs(failures, random));
    logger.error("a worker ended unasked and is replaced", { worker: number, pid, how, pauseMs });
    const cancel = scheduler.after(pauseMs, () => {
      this.#pending.delete(cancel);
      this.#metrics.countRestart();
      this.#fork(number);
    });
    this.#pending.add(cancel);
  }

  #serving(): readonly WorkerLink<S>[] {
    return [...this.#links.values()].filter(({ listening }) => listening);
  }

  /** The answers of the workers that serve requests; one that does not answer in time is left out. */
  async #ask<Q extends WorkerQuestion>(question: Q): Promise<readonly WorkerAnswers[Q][]> {
    const answers = await Promise.all(this.#serving().map((link) => link.ask(question)));
    return answers.filter((answer) => answer !== undefined);
  }

  /** With the earlier counts of a worker that does not answer in time. */
  async #exposition(): Promise<string> {
    const links = this.#serving();
    await Promise.all(
      links.map(async (link) => {
        link.metrics = (await link.ask("metrics")) ?? link.metrics;
      }),
    );
    return this.#metrics.exposition(links.filter(({ ended }) => !ended).map(({ metrics }) => metrics));
  }

  #subject() {
    return {
      metrics: (): Promise<string> => this.#exposition(),
      unreadiness: async (): Promise<string | undefined> => {
        if (this.#ending) return "draining";
        const reasons = await this.#ask("unreadiness");
        if (reasons.length === 0) return "waiting for a worker";
        // One worker that can serve is enough: the others' connections are not accepted before they are ready.
        return reasons.includes(null) ? undefined : (reasons[0] ?? undefined);
      },
      resources: async () => (await this.#ask("resources"))[0] ?? undefined,
      clusters: async (): Promise<readonly ClusterRow[]> => joinClusterRows(await this.#ask("clusters")),
      drain: (): void => this.#drain(this.#options.drainMs),
    };
  }
}
