// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/**
 * Ports: time, randomness and logging are arguments, so that every test can run on virtual time and every
 * decision can be replayed.
 */

/** Two clocks in one: wall time for what people read, monotonic time for what the code measures. */
export interface Clock {
  /** Milliseconds since the Unix epoch; may jump when the runtime's clock is set. */
  nowMs(): number;
  /** Milliseconds since an arbitrary start; never goes back. */
  monotonicMs(): number;
}

/** Random numbers in [0, 1). */
export type Random = () => number;

/** Cancels a scheduled task; calling it again does nothing. */
export type Cancel = () => void;

/** Deferred work. The caller must cancel its tasks before it closes. */
export interface Scheduler {
  /** Runs `task` once after `delayMs`. */
  after(delayMs: number, task: () => void): Cancel;
  /** Runs `task` every `intervalMs`, first after one interval. */
  every(intervalMs: number, task: () => void): Cancel;
}

export type LogFields = Readonly<Record<string, unknown>>;

/** Structured logging: a constant message, with everything variable in fields. */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** A logger that adds `fields` to every line. */
  child(fields: LogFields): Logger;
}

/** All ports of the host process. */
export interface Runtime {
  readonly clock: Clock;
  readonly random: Random;
  readonly scheduler: Scheduler;
  readonly logger: Logger;
}
