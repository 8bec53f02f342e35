// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { type Files, type Logger, messageOf } from "../sdk/index.ts";
import type { EntryType } from "./config.ts";
import type { Matcher } from "./entries.ts";
import { readEntries } from "./entry-lines.ts";

export interface WatchEntriesOptions {
  readonly type: EntryType;
  readonly path: string;
  readonly files: Files;
  readonly logger: Logger;
}

/** The last valid entries of a watched file. */
export interface EntriesFile {
  /** undefined until the file has been read completely and without faults. */
  readonly matcher: Matcher | undefined;
  /** Stops watching. */
  close(): void;
}

/**
 * Watches a file of entries. When the file has a bad line or cannot be read, the last valid entries stay in
 * force.
 */
export function watchEntries({ type, path, files, logger }: WatchEntriesOptions): EntriesFile {
  let matcher: Matcher | undefined;
  let unreadable = false;
  const kept = (): string =>
    matcher === undefined ? "nothing was read so far" : "the last good entries stay in force";

  const read = (text: string): void => {
    unreadable = false;
    const entries = readEntries(type, text);
    if (entries.ok) {
      matcher = entries.matcher;
      logger.info("list file read", { file: path, entries: entries.count });
      return;
    }
    const { faults, faultCount } = entries;
    logger.warn("list file refused", { file: path, consequence: kept(), faults, faultCount });
  };

  const fail = (error: Error): void => {
    // Log once when the file becomes unreadable, not for each attempt.
    if (unreadable) return;
    unreadable = true;
    logger.warn("list file cannot be read", { file: path, consequence: kept(), error: messageOf(error) });
  };

  const cancel = files.watch(path, read, fail);
  return {
    get matcher() {
      return matcher;
    },
    close: cancel,
  };
}
