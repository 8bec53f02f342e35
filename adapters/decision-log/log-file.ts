// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { type FileHandle, open, rename, stat, unlink } from "node:fs/promises";

export interface LogFileOptions {
  readonly path: string;
  /** Size in bytes at which the file is rotated; 0 for never. */
  readonly maxFileBytes: number;
  /** Number of rotated files to keep; with 0 the full file is deleted. */
  readonly keepFiles: number;
}

/** Owner only: decisions reveal who asked for what. */
const MODE = 0o600;
const LINE_BREAK = 10;

/**
 * A file to which texts are appended whole. A failed append is truncated; if that fails too, the rest becomes
 * a line of its own, which no reader parses as a record. Reopens the path when the file is moved away. The
 * caller must await each append before the next one.
 */
export class LogFile {
  readonly #options: LogFileOptions;
  #handle: FileHandle | undefined;

  constructor(options: LogFileOptions) {
    this.#options = options;
  }

  /** Rejects with the system's error; then nothing of `text` counts as written. */
  async append(text: string): Promise<void> {
    const bytes = Buffer.from(text);
    try {
      await this.#ready(bytes.length);
    } catch (error) {
      await this.close();
      throw error;
    }
    const handle = this.#handle as FileHandle;
    let written = 0;
    try {
      while (written < bytes.length) written += (await handle.write(bytes, written)).bytesWritten;
    } catch (error) {
      await takeBack(handle, written);
      // Reopening checks how the file ends.
      await this.close();
      throw error;
    }
  }

  async close(): Promise<void> {
    const handle = this.#handle;
    this.#handle = undefined;
    await handle?.close().catch(() => {});
  }

  /**
   * Opens the file at the path, unless it is open already, and rotates it when `bytes` more would make it too
   * large.
   */
  async #ready(bytes: number): Promise<void> {
    const { path, maxFileBytes } = this.#options;
    if (this.#handle !== undefined && !(await isAt(path, this.#handle))) await this.close();
    this.#handle ??= await openWhole(path);
    if (maxFileBytes === 0) return;
    const stats = await this.#handle.stat();
    if (!stats.isFile() || stats.size === 0 || stats.size + bytes <= maxFileBytes) return;
    await this.close();
    await this.#rotate();
    this.#handle = await openWhole(path);
  }

  /** Renames `path` to `path.1`, `path.1` to `path.2` …; the oldest file is overwritten. */
  async #rotate(): Promise<void> {
    const { path, keepFiles } = this.#options;
    if (keepFiles === 0) return unlink(path).catch(unlessAbsent);
    for (let number = keepFiles - 1; number > 0; number--) {
      await rename(`${path}.${number}`, `${path}.${number + 1}`).catch(unlessAbsent);
    }
    await rename(path, `${path}.1`).catch(unlessAbsent);
  }
}

/** Opens a file for appending, and ends a line that an earlier writer left incomplete. */
async function openWhole(path: string): Promise<FileHandle> {
  const handle = await open(path, "a+", MODE);
  try {
    const stats = await handle.stat();
    if (!stats.isFile() || stats.size === 0) return handle;
    const { buffer } = await handle.read(Buffer.alloc(1), 0, 1, stats.size - 1);
    if (buffer[0] !== LINE_BREAK) await handle.write("\n");
    return handle;
  } catch (error) {
    await handle.close().catch(() => {});
    throw error;
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

function unlessAbsent(error: unknown): undefined {
  if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  return undefined;
}
