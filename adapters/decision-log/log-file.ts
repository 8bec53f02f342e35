// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { type FileHandle, open, rename, stat, unlink } from "node:fs/promises";

export interface LogFileOptions {
  readonly path: string;
  /** The size beyond which the file is rotated; 0 for never. */
  readonly maxFileBytes: number;
  /** Rotated files kept; with 0 the full file is removed. */
  readonly keepFiles: number;
}

/** Decisions tell who asked for what: for the owner's eyes. */
const MODE = 0o600;
const LINE_BREAK = 10;

/**
 * A file that texts are appended to, each whole: what fails halfway is taken back, or ends as a line of its own that no
 * reader takes for a record. Follows the path when somebody moves the file away. One append at a time: the caller's duty.
 */
export class LogFile {
  readonly #options: LogFileOptions;
  #handle: FileHandle | undefined;

  constructor(options: LogFileOptions) {
    this.#options = options;
  }

  /** Rejects with the system's error; nothing of `text` counts as written then. */
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
      // Opening it again looks at how it ends.
      await this.close();
      throw error;
    }
  }

  async close(): Promise<void> {
    const handle = this.#handle;
    this.#handle = undefined;
    await handle?.close().catch(() => {});
  }

  /** Opens what stands at the path, if that is not open already, and rotates it when it would grow too large. */
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

  /** `path` becomes `path.1`, that `path.2`, and the last one goes. */
  async #rotate(): Promise<void> {
    const { path, keepFiles } = this.#options;
    if (keepFiles === 0) return unlink(path).catch(unlessAbsent);
    for (let number = keepFiles - 1; number > 0; number--) {
      await rename(`${path}.${number}`, `${path}.${number + 1}`).catch(unlessAbsent);
    }
    await rename(path, `${path}.1`).catch(unlessAbsent);
  }
}

/** Opens a file to append to, after a line break where an earlier writer stopped in the middle of a line. */
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

/** The last `bytes` of the file, which a failed append left there. */
async function takeBack(handle: FileHandle, bytes: number): Promise<void> {
  if (bytes === 0) return;
  try {
    await handle.truncate((await handle.stat()).size - bytes);
  } catch {
    // The next append begins a new line after it.
  }
}

function unlessAbsent(error: unknown): undefined {
  if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  return undefined;
}
