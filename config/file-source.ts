// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { FSWatcher } from "chokidar";
import { type Checked, type Diagnostic, formatDiagnostic } from "../core/kernel/diagnostic.ts";
import { messageOf } from "../core/kernel/errors.ts";
import type { Clock, Logger } from "../core/kernel/ports.ts";
import type { Snapshot } from "../core/snapshot/snapshot.ts";
import { type BuildOptions, SetBuilder } from "./build-set.ts";
import type { ConfigSource } from "./config-source.ts";
import { watchPaths } from "./file-watcher.ts";
import { QuietTimer } from "./quiet-timer.ts";
import { DEFAULT_SIZE_LIMITS, type FileSet, readFiles, type SizeLimits } from "./read-files.ts";

export interface FileSourceOptions extends BuildOptions, Partial<SizeLimits> {
  /** Files, and folders to read whole. Their order is the documents'. */
  readonly paths: readonly string[];
  readonly clock: Clock;
  readonly logger: Logger;
  /** Whether to follow changes; default true. */
  readonly watch?: boolean;
  /** How long the files must be left alone before they are read again, in milliseconds; default 75. */
  readonly quietMs?: number;
}

/** Long enough for an editor to truncate and write, short enough that an edit is in force well within a second. */
const DEFAULT_QUIET_MS = 75;

/** Files that never come to rest are read nevertheless. */
const LONGEST_UNREST_MS = 500;

/**
 * Documents from files and folders. A set that cannot be read whole, or has any fault, changes nothing.
 *
 * @throws {PurserError} PURSER_DOC_UNREADABLE when the installation lacks its own attribute manifest.
 */
export function createFileSource(options: FileSourceOptions): ConfigSource {
  return new FileSource(options);
}

class FileSource implements ConfigSource {
  readonly #options: FileSourceOptions;
  readonly #builder: SetBuilder;
  readonly #timer: QuietTimer;
  readonly #listeners = new Set<(snapshot: Snapshot) => void>();
  readonly #rejectionListeners = new Set<(diagnostics: readonly Diagnostic[]) => void>();
  #current: Snapshot | undefined;
  #lastRejection: readonly Diagnostic[] | undefined;
  #watcher: FSWatcher | undefined;
  #watched: readonly string[] = [];
  /** The build under way; another waits for it. */
  #building: Promise<unknown> | undefined;
  #closed = false;

  constructor(options: FileSourceOptions) {
    this.#options = options;
    this.#builder = new SetBuilder(options);
    const times = { quietMs: options.quietMs ?? DEFAULT_QUIET_MS, longestMs: LONGEST_UNREST_MS };
    this.#timer = new QuietTimer(options, times, () => this.#reload());
  }

  get current(): Snapshot | undefined {
    return this.#current;
  }

  get lastRejection(): readonly Diagnostic[] | undefined {
    return this.#lastRejection;
  }

  async start(): Promise<Checked<Snapshot>> {
    const building = this.#build();
    this.#building = building;
    const result = await building;
    this.#building = undefined;
    if (result.ok) {
      this.#current = result.value;
      this.#warn(result.warnings);
    } else this.#lastRejection = result.diagnostics;
    return result;
  }

  subscribe(listener: (snapshot: Snapshot) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  onRejected(listener: (diagnostics: readonly Diagnostic[]) => void): () => void {
    this.#rejectionListeners.add(listener);
    return () => this.#rejectionListeners.delete(listener);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#timer.cancel();
    await this.#watcher?.close();
  }

  async #build(): Promise<Checked<Snapshot>> {
    return this.#builder.build(await this.#read());
  }

  /** Reads the files, and sees to it that all they come from is watched. */
  async #read(): Promise<FileSet> {
    const { paths, watch = true, ...options } = this.#options;
    const limits = { ...DEFAULT_SIZE_LIMITS, ...options };
    const set = await readFiles(paths, limits);
    const watched = [...paths, ...set.linked];
    if (!watch || JSON.stringify(watched) === JSON.stringify(this.#watched)) return set;
    this.#watched = watched;
    await this.#watcher?.close();
    const onError = (error: unknown) =>
      options.logger.error("configuration watch failed", { error: messageOf(error) });
    this.#watcher = await watchPaths(watched, () => this.#timer.disturb(), onError);
    if (this.#closed) await this.#watcher.close();
    // Again: what changed before the watch began.
    return readFiles(paths, limits);
  }

  /** One build at a time: what changes meanwhile is looked at after it, so that the newest set wins. */
  #reload(): void {
    if (this.#closed) return;
    if (this.#building !== undefined) return this.#timer.disturb();
    this.#building = this.#build()
      .then((result) => {
        if (!this.#closed) this.#conclude(result);
      })
      .catch((error: unknown) => {
        this.#options.logger.error("configuration could not be read", { error: messageOf(error) });
      })
      .finally(() => {
        this.#building = undefined;
      });
  }

  /** Once for each set that is accepted. */
  #warn(warnings: readonly Diagnostic[]): void {
    for (const warning of warnings)
      this.#options.logger.warn(formatDiagnostic(warning, { remedy: true }), { code: warning.code });
  }

  #conclude(result: Checked<Snapshot>): void {
    const { logger } = this.#options;
    const rejection = this.#lastRejection;
    if (!result.ok) {
      this.#lastRejection = result.diagnostics;
      if (rejection !== undefined && textOf(rejection) === textOf(result.diagnostics)) return;
      notify(this.#rejectionListeners, result.diagnostics, logger);
      return;
    }
    this.#lastRejection = undefined;
    if (result.value.version !== this.#current?.version) {
      this.#current = result.value;
      this.#warn(result.warnings);
    }
    // Files are often touched without any change to the set. But a broken edit taken back is news: the set in force is
    // the newest one again.
    else if (rejection === undefined) return;
    notify(this.#listeners, this.#current, logger);
  }
}

function textOf(diagnostics: readonly Diagnostic[]): string {
  return diagnostics.map((diagnostic) => formatDiagnostic(diagnostic)).join("\n");
}

/** A listener that throws keeps no other from being told. */
function notify<T>(listeners: Iterable<(value: T) => void>, value: T, logger: Logger): void {
  for (const listener of listeners) {
    try {
      listener(value);
    } catch (error) {
      logger.error("configuration listener failed", { error: messageOf(error) });
    }
  }
}
