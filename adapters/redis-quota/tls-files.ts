// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Files, Logger } from "../../plugins/sdk/index.ts";
import type { Config } from "./config.ts";

/** The field of the configuration that names each file, by the name of its text in Node's options of TLS. */
const FIELD = { ca: "caFile", cert: "certFile", key: "keyFile" } as const;
type TextName = keyof typeof FIELD;

/** Node's options of a TLS connection. */
export type TlsOptions = { servername?: string } & { [Name in TextName]?: string };

export interface TlsFilesSettings {
  readonly config: Pick<Config, "caFile" | "certFile" | "keyFile" | "serverName">;
  readonly files: Files;
  readonly logger: Logger;
}

/**
 * The certificates and key that a handler's files name. No connection is made before all of them have been
 * read. A changed file takes effect at the next connection: the client library reads `options` then.
 */
export class TlsFiles {
  readonly options: TlsOptions = {};
  readonly #unread = new Set<string>();
  readonly #unwatch: (() => void)[] = [];
  #listeners: (() => void)[] = [];

  constructor({ config, files, logger }: TlsFilesSettings) {
    if (config.serverName !== undefined) this.options.servername = config.serverName;
    const named = (Object.keys(FIELD) as TextName[]).flatMap((name) => {
      const path = config[FIELD[name]];
      return path === undefined ? [] : [{ name, path }];
    });
    for (const { path } of named) this.#unread.add(path);
    for (const { name, path } of named) {
      const field = FIELD[name];
      this.#unwatch.push(
        files.watch(
          path,
          (text) => this.#read(name, path, text),
          ({ message }) => logger.warn(`${field} could not be read`, { [field]: path, reason: message }),
        ),
      );
    }
  }

  /** The paths that have not been read yet. */
  get unread(): readonly string[] {
    return [...this.#unread];
  }

  /** Calls the listener once all files have been read: now, or later. */
  whenRead(listener: () => void): void {
    if (this.#unread.size === 0) listener();
    else this.#listeners.push(listener);
  }

  close(): void {
    this.#listeners = [];
    for (const unwatch of this.#unwatch) unwatch();
  }

  #read(name: TextName, path: string, text: string): void {
    this.options[name] = text;
    this.#unread.delete(path);
    if (this.#unread.size > 0) return;
    const listeners = this.#listeners;
    this.#listeners = [];
    for (const listener of listeners) listener();
  }
}
