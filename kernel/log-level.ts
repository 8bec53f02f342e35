// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/** Levels of log lines, the most verbose first. */
export const LOG_LEVELS = ["debug", "info", "warn", "error"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** The least severe level that a process logs. It takes effect for every logger of the process at once. */
export class LogLevelSetting {
  #level: LogLevel;
  readonly #watchers = new Set<(level: LogLevel) => void>();

  constructor(level: LogLevel) {
    this.#level = level;
  }

  get level(): LogLevel {
    return this.#level;
  }

  set(level: LogLevel): void {
    this.#level = level;
    for (const watcher of this.#watchers) watcher(level);
  }

  shows(level: LogLevel): boolean {
    return LOG_LEVELS.indexOf(level) >= LOG_LEVELS.indexOf(this.#level);
  }

  /** Calls `onChange` after each `set`, until the returned function is called. */
  watch(onChange: (level: LogLevel) => void): () => void {
    this.#watchers.add(onChange);
    return () => this.#watchers.delete(onChange);
  }
}
