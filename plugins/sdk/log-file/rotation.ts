// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { createReadStream, createWriteStream } from "node:fs";
import { rename, stat, unlink } from "node:fs/promises";
import { resolve } from "node:path";
import { pipeline } from "node:stream/promises";
import { unlessAbsent } from "./file-errors.ts";
import { inTurn } from "./in-turn.ts";

export interface RotationOptions {
  readonly path: string;
  /** Number of rotated files to keep; with 0 the full file is deleted. */
  readonly keepFiles: number;
  /** Whether rotated files are compressed, with `.gz` after their names. */
  readonly gzip: boolean;
  /** Permissions of compressed files. */
  readonly mode: number;
  /** Called when a file could not be compressed; the next rotation tries again. */
  readonly onFault: (error: unknown) => void;
}

/** The file names behind a log file: `path.1` is the newest, whether it is compressed or not. */
export class Rotation {
  readonly #options: RotationOptions;
  readonly #key: string;
  readonly #closing = new AbortController();
  #compressing: Promise<void> | undefined;

  constructor(options: RotationOptions) {
    this.#options = options;
    this.#key = `${resolve(options.path)}\0rotation`;
  }

  /**
   * Renames `path` to `path.1`, `path.1` to `path.2` …; the oldest file is deleted. Files are compressed afterwards, while the next
   * file is written; the next rotation waits for it. Rejects with the system's error; no file is lost then.
   */
  async rotate(): Promise<void> {
    const { path, keepFiles, gzip, onFault } = this.#options;
    if (keepFiles === 0) return unlink(path).catch(unlessAbsent);
    await inTurn(this.#key, () => this.#shift());
    if (gzip) this.#compressing = inTurn(this.#key, () => this.#compressAll()).catch(onFault);
  }

  /** Breaks off a compression: the file stays as it was. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#compressing;
  }

  /** Moves only the files below the first free number: after a failure, the next try does not leave a second gap. */
  async #shift(): Promise<void> {
    const { path, keepFiles } = this.#options;
    let free = 1;
    while (free < keepFiles && (await this.#exists(free))) free++;
    for (const name of this.#names(free)) await unlink(name).catch(unlessAbsent);
    for (let number = free - 1; number > 0; number--) {
      const names = this.#names(number);
      const next = this.#names(number + 1);
      for (const [index, name] of names.entries())
        await rename(name, next[index] as string).catch(unlessAbsent);
    }
    await rename(path, `${path}.1`).catch(unlessAbsent);
  }

  /** A stop may have left more than the newest file uncompressed. */
  async #compressAll(): Promise<void> {
    const { keepFiles } = this.#options;
    for (let number = 1; number <= keepFiles && !this.#closing.signal.aborted; number++) {
      const [name] = this.#names(number);
      if (name !== undefined && (await isFile(name))) await this.#compress(name);
    }
  }

  async #compress(name: string): Promise<void> {
    const { mode } = this.#options;
    const { signal } = this.#closing;
    const unfinished = `${name}.gz.tmp`;
    const { createGzip } = await import("node:zlib");
    try {
      await pipeline(createReadStream(name), createGzip(), createWriteStream(unfinished, { mode }), {
        signal,
      });
      await rename(unfinished, `${name}.gz`);
      await unlink(name);
    } catch (error) {
      await unlink(unfinished).catch(unlessAbsent);
      if (!signal.aborted) throw error;
    }
  }

  async #exists(number: number): Promise<boolean> {
    const there = await Promise.all(this.#names(number).map(isFile));
    return there.includes(true);
  }

  #names(number: number): readonly string[] {
    const name = `${this.#options.path}.${number}`;
    return [name, `${name}.gz`];
  }
}

async function isFile(path: string): Promise<boolean> {
  return (await stat(path).catch(unlessAbsent))?.isFile() === true;
}
