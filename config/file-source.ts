// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { type Checked, type Diagnostic, formatDiagnostic } from "../kernel/diagnostic.ts";
import { messageOf } from "../kernel/errors.ts";
import type { Cancel, Clock, Logger } from "../kernel/ports.ts";
import type { Snapshot } from "../core/snapshot/snapshot.ts";
import { type BuildOptions, SetBuilder } from "./build-set.ts";
import type { ConfigSource } from "./config-source.ts";
import { contentsOf, faultsOfEmptiness, type Purpose, type SetContents } from "./emptiness.ts";
import { watchPaths } from "./file-watcher.ts";
import { QuietTimer } from "./quiet-timer.ts";
import {
  DEFAULT_SIZE_LIMITS,
  type FileSet,
  fingerprintOf,
  readFiles,
  type SizeLimits,
} from "./read-files.ts";

export interface FileSourceOptions extends BuildOptions, Partial<SizeLimits> {
  /** Files, and folders that are read recursively. Documents are in this order. */
  readonly paths: readonly string[];
  readonly clock: Clock;
  readonly logger: Logger;
  /** Whether to follow changes; default true. */
  readonly watch?: boolean;
  /** Purposes for which a set must have documents; default: a set may be empty. */
  readonly purposes?: readonly Purpose[];
  /** Debounce: time without changes before the files are read again, in milliseconds; default 75. */
  readonly quietMs?: number;
}

/**
 * Long enough for an editor to truncate and write, short enough for an edit to take effect well within a
 * second.
 */
const DEFAULT_QUIET_MS = 75;

/** Files that keep changing are read after this time nevertheless. */
const LONGEST_UNREST_MS = 500;

/** Most restarts of the watch in one reading, for folders that keep being replaced. */
const MAX_WATCHES = 5;

/** Polling interval: volumes are mounted and network drives change without a file-system event. */
const LOOK_MS = 5_000;

/**
 * A source of documents from files and folders. A set that cannot be read completely, or has any fault,
 * changes nothing.
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
  /** Contents of the set in force. */
  #contents: SetContents | undefined;
  /** Fingerprint of the files as last read. */
  #fingerprint = "";
  #cancelLooking: Cancel | undefined;
  #looking = false;
  #unwatch: (() => void) | undefined;
  /** The watched folders and links, with the identities of the folders. */
  #watched = "";
  /** The build under way; the next build waits for it. */
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
    const { watch = true, scheduler } = this.#options;
    if (watch) this.#cancelLooking = scheduler.every(LOOK_MS, () => void this.#look());
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
    this.#cancelLooking?.();
    this.#unwatch?.();
  }

  async #build(): Promise<Checked<Snapshot>> {
    const { paths, purposes } = this.#options;
    const set = await this.#read();
    const result = await this.#builder.build(set);
    if (!result.ok) return result;
    const contents = contentsOf(set, this.#builder.parsedFiles);
    const diagnostics =
      purposes === undefined ? [] : faultsOfEmptiness(contents, paths, purposes, this.#contents);
    if (diagnostics.length > 0) return { ok: false, diagnostics: [...diagnostics, ...result.warnings] };
    this.#contents = contents;
    return result;
  }

  /** Reads the files, and watches all paths that they come from. */
  async #read(): Promise<FileSet> {
    const { paths, watch = true, ...options } = this.#options;
    const limits = { ...DEFAULT_SIZE_LIMITS, ...options };
    const onError = (error: unknown) =>
      options.logger.error("configuration watch failed", { error: messageOf(error) });
    for (let watches = 0; ; watches++) {
      const set = await readFiles(paths, limits);
      this.#fingerprint = set.fingerprint;
      const watched = JSON.stringify([set.links, set.folders]);
      if (!watch || watched === this.#watched || watches === MAX_WATCHES) return set;
      this.#watched = watched;
      this.#unwatch?.();
      this.#unwatch = await watchPaths({
        paths: [...paths, ...set.links.map(({ path }) => path)],
        folders: set.folders.map(({ path }) => path),
        onChange: () => this.#timer.disturb(),
        onError,
      });
      if (this.#closed) this.#unwatch();
      // Read again: files may have changed before the watch began.
    }
  }

  /** Schedules a reading if the files have changed since the last one. */
  async #look(): Promise<void> {
    if (this.#looking || this.#building !== undefined) return;
    this.#looking = true;
    try {
      if ((await fingerprintOf(this.#options.paths)) !== this.#fingerprint && !this.#closed)
        this.#timer.disturb();
    } catch (error) {
      this.#options.logger.error("configuration could not be checked for changes", {
        error: messageOf(error),
      });
    } finally {
      this.#looking = false;
    }
  }

  /** Only one build runs at a time: changes during it are read after it, so that the newest set wins. */
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

  /** Logs the warnings and notes of a set when it is accepted. */
  #warn(warnings: readonly Diagnostic[]): void {
    const { logger } = this.#options;
    for (const warning of warnings)
      if (warning.severity === "note") logger.info(formatDiagnostic(warning), { code: warning.code });
      else logger.warn(formatDiagnostic(warning, { remedy: true }), { code: warning.code });
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
    // Files are often touched without a change. But reverting a broken edit is published: the set in force is
    // the newest one again.
    else if (rejection === undefined) return;
    notify(this.#listeners, this.#current, logger);
  }
}

function textOf(diagnostics: readonly Diagnostic[]): string {
  return diagnostics.map((diagnostic) => formatDiagnostic(diagnostic)).join("\n");
}

/** Calls every listener, even when one of them throws. */
function notify<T>(listeners: Iterable<(value: T) => void>, value: T, logger: Logger): void {
  for (const listener of listeners) {
    try {
      listener(value);
    } catch (error) {
      logger.error("configuration listener failed", { error: messageOf(error) });
    }
  }
}
