// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { type FileHandle, open, stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { unlessAbsent } from "./file-errors.ts";
import { inTurn } from "./in-turn.ts";
import { Rotation } from "./rotation.ts";

export interface LogFileOptions {
  /** A relative path starts at the process's working directory. */
  readonly path: string;
  /** Size in bytes at which the file is rotated; 0 for never. */
  readonly maxFileBytes: number;
  /** Number of rotated files to keep; with 0 the full file is deleted. */
  readonly keepFiles: number;
  /**
   * Length of the periods, counted from the epoch in UTC, whose texts go into files of their own, in milliseconds; default: one file
   * for any time. The first append of a period rotates the file.
   */
  readonly intervalMs?: number;
  /** Whether rotated files are compressed; default false. */
  readonly gzip?: boolean;
  /** Whether an append ends when the system has written it to the disk (fsync); default false. */
  readonly sync?: boolean;
  /** Permissions of new files; default 0600: telemetry reveals who asked for what. */
  readonly mode?: number;
  /** The wall clock in milliseconds, for `intervalMs`; default Date.now. */
  readonly nowMs?: () => number;
  /** Called when a rotated file could not be compressed. */
  readonly onFault?: (error: unknown) => void;
}

const DEFAULT_MODE = 0o600;
const LINE_BREAK = 10;

/**
 * A file to which texts are appended whole. A failed append is truncated; if that fails too, the rest becomes
 * a line of its own, which no reader parses as a record. Reopens the path when the file is moved away or removed. Appends to one
 * path wait for each other, from however many LogFiles of this process.
 */
export class LogFile {
  readonly #options: LogFileOptions;
  readonly #key: string;
  readonly #rotation: Rotation;
  #handle: FileHandle | undefined;

  constructor(options: LogFileOptions) {
    this.#options = options;
    this.#key = resolve(options.path);
    const { path, keepFiles, gzip = false, mode = DEFAULT_MODE, onFault = ignore } = options;
    this.#rotation = new Rotation({ path, keepFiles, gzip, mode, onFault });
  }

  /** Rejects with the system's error; then nothing of `text` counts as written. */
  append(text: string): Promise<void> {
    return inTurn(this.#key, () => this.#append(Buffer.from(text)));
  }

  /** The caller must await its appends before. */
  async close(): Promise<void> {
    await Promise.all([this.#letGo(), this.#rotation.close()]);
  }

  async #append(bytes: Buffer): Promise<void> {
    let handle: FileHandle;
    try {
      handle = await this.#ready(bytes.length);
    } catch (error) {
      await this.#letGo();
      throw error;
    }
    let written = 0;
    try {
      while (written < bytes.length) written += (await handle.write(bytes, written)).bytesWritten;
      if (this.#options.sync === true) await handle.datasync();
    } catch (error) {
      await takeBack(handle, written);
      // Reopening checks how the file ends.
      await this.#letGo();
      throw error;
    }
  }

  async #letGo(): Promise<void> {
    const handle = this.#handle;
    this.#handle = undefined;
    await handle?.close().catch(ignore);
  }

  /**
   * The file at the path, opened unless it is open already, and rotated when `bytes` more would make it too large, or when its
   * period is over.
   */
  async #ready(bytes: number): Promise<FileHandle> {
    const { path, maxFileBytes, intervalMs } = this.#options;
    if (this.#handle !== undefined && !(await isAt(path, this.#handle))) await this.#letGo();
    const handle = (this.#handle ??= await this.#open());
    if (maxFileBytes === 0 && intervalMs === undefined) return handle;
    const stats = await handle.stat();
    if (!stats.isFile() || stats.size === 0) return handle;
    const isFull = maxFileBytes > 0 && stats.size + bytes > maxFileBytes;
    if (!isFull && !this.#isOver(stats.mtimeMs)) return handle;
    await this.#letGo();
    await this.#rotation.rotate();
    return (this.#handle = await this.#open());
  }

  /**
   * Whether the period of the last append is over. The file's own time tells it, so that a restart changes nothing; a clock that was
   * set back ends no period.
   */
  #isOver(lastMs: number): boolean {
    const { intervalMs, nowMs = Date.now } = this.#options;
    return intervalMs !== undefined && Math.floor(nowMs() / intervalMs) > Math.floor(lastMs / intervalMs);
  }

  async #open(): Promise<FileHandle> {
    const { path, mode = DEFAULT_MODE, sync = false } = this.#options;
    const handle = await openWhole(path, mode);
    // A new file's name is in its folder, which has to be written too.
    if (sync) await syncFolder(dirname(path)).catch(ignore);
    return handle;
  }
}

/** Opens a file for appending, and ends a line that an earlier writer left incomplete. */
async function openWhole(path: string, mode: number): Promise<FileHandle> {
  const handle = await open(path, "a+", mode);
  try {
    const stats = await handle.stat();
    if (!stats.isFile() || stats.size === 0) return handle;
    const { buffer } = await handle.read(Buffer.alloc(1), 0, 1, stats.size - 1);
    if (buffer[0] !== LINE_BREAK) await handle.write("\n");
    return handle;
  } catch (error) {
    await handle.close().catch(ignore);
    throw error;
  }
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

async function isAt(path: string, handle: FileHandle): Promise<boolean> {
  const [there, open] = await Promise.all([stat(path).catch(unlessAbsent), handle.stat()]);
  return there !== undefined && there.ino === open.ino && there.dev === open.dev;
}

/** Truncates the last `bytes` of the file, which a failed append left. */
async function takeBack(handle: FileHandle, bytes: number): Promise<void> {
  if (bytes === 0) return;
  try {
    await handle.truncate((await handle.stat()).size - bytes);
  } catch {
    // The next append begins a new line after the remainder.
  }
}

function ignore(): void {}
