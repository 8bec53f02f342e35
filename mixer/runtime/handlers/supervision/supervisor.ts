// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { AsyncLocalStorage } from "node:async_hooks";
import { backoffMs } from "../../../../kernel/backoff.ts";
import { messageOf } from "../../../../kernel/errors.ts";
import type { Cancel, Logger, Runtime } from "../../../../kernel/ports.ts";
import type { FaultKind } from "./fault-kind.ts";
import { FaultLog } from "./fault-log.ts";

/** Longest time for which a call may hold the event loop; no request should wait longer for another's telemetry. */
const BLOCKED_MS = 50;

/** Bounds of the pause before a handler is restarted, which doubles with each fault. */
const RESTART_MS = { minMs: 1_000, baseMs: 1_000, maxMs: 60_000 };

/** After this time without a fault, the pause begins anew. */
const CALM_MS = 300_000;

export interface SupervisorOptions extends Pick<Runtime, "clock" | "random" | "scheduler"> {
  readonly logger: Logger;
  /** Whether to follow what the code begins, so that its later errors are known to be the handler's. */
  readonly follow: boolean;
  readonly count: (kind: FaultKind) => void;
  /** Replaces the handler's instance. Throws when that fails; the old one then goes on. */
  readonly restart: () => void;
}

/** The supervisor of the handler whose code runs now, and of what that code began: timers, sockets, promises. */
const running = new AsyncLocalStorage<Supervisor>();

/** The supervisor that answers for an error that nobody caught; undefined when no handler's code threw it. */
export function supervisorOfError(): Supervisor | undefined {
  return running.getStore();
}

/** Runs one handler's code, and names the handler when the code misbehaves beside its answers. */
export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #log: FaultLog;
  #faults = 0;
  #lastFaultMs = Number.NEGATIVE_INFINITY;
  #cancelRestart: Cancel | undefined;
  #closed = false;

  constructor(options: SupervisorOptions) {
    this.#options = options;
    this.#log = new FaultLog(options.logger, options.clock);
  }

  /** Runs the handler's code, and measures how long it holds the event loop. */
  run<T>(work: () => T): T {
    const { clock, follow } = this.#options;
    const startMs = clock.monotonicMs();
    try {
      return follow ? running.run(this, work) : work();
    } finally {
      const tookMs = clock.monotonicMs() - startMs;
      if (tookMs > BLOCKED_MS) this.fault("blocked", `the event loop was held for ${Math.round(tookMs)} ms`);
    }
  }

  /** Runs a scheduled task of the handler; an error becomes a fault. */
  runTask(task: () => void): void {
    try {
      this.run(task);
    } catch (error) {
      this.fault("exception", error);
    }
  }

  /** Notes a fault. After an exception or a rejection the handler's state is in doubt, so it is restarted soon. */
  fault(kind: FaultKind, error: unknown): void {
    this.#options.count(kind);
    this.#log.fault(kind, kind === "blocked" ? String(error) : messageOf(error));
    if (kind === "exception" || kind === "rejection") this.#restartLater();
  }

  /** Cancels a restart that is due. */
  close(): void {
    this.#closed = true;
    this.#cancelRestart?.();
    this.#log.flush();
  }

  #restartLater(): void {
    const { clock, random, scheduler, restart, logger } = this.#options;
    if (this.#closed || this.#cancelRestart !== undefined) return;
    const nowMs = clock.monotonicMs();
    this.#faults = nowMs - this.#lastFaultMs > CALM_MS ? 1 : this.#faults + 1;
    this.#lastFaultMs = nowMs;
    this.#cancelRestart = scheduler.after(backoffMs(this.#faults, random, RESTART_MS), () => {
      this.#cancelRestart = undefined;
      try {
        restart();
        logger.warn("the handler was restarted after a fault");
      } catch (error) {
        logger.error("the handler could not be restarted; the old one goes on", { error: messageOf(error) });
      }
    });
  }
}
