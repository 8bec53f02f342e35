// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { readFile, stat } from "node:fs/promises";

/** A parsed file, which is read again when its time or size has changed. A file that cannot be read is empty. */
export class FileCache<T> {
  readonly #path: string;
  readonly #parse: (text: string) => T;
  #version: string | undefined;
  #value: T;

  constructor(path: string, parse: (text: string) => T) {
    this.#path = path;
    this.#parse = parse;
    this.#value = parse("");
  }

  async read(): Promise<T> {
    try {
      const { mtimeMs, size, ino } = await stat(this.#path);
      const version = `${mtimeMs} ${size} ${ino}`;
      if (version !== this.#version) {
        this.#value = this.#parse(await readFile(this.#path, "utf8"));
        this.#version = version;
      }
    } catch {
      this.#value = this.#parse("");
      this.#version = undefined;
    }
    return this.#value;
  }
}
