// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { open } from "node:fs/promises";
import { messageOf, PurserError } from "../../kernel/errors.ts";
import type { Logger, Scheduler } from "../../kernel/ports.ts";

/** A small file, and the flag that names it. */
export interface FlaggedFile {
  readonly flag: string;
  readonly path: string;
}

export interface FollowedFiles {
  readonly files: readonly FlaggedFile[];
  /** The name of the content in log lines, such as `tokens`. */
  readonly what: string;
  readonly scheduler: Scheduler;
  readonly logger: Logger;
  /** Called with the texts of the files, at first and after each change; throws when they cannot be used. */
  readonly onTexts: (texts: readonly string[]) => void;
}

const MAX_BYTES = 64 * 1_024;

/** Maximum age of a content that has been replaced, in milliseconds. Reading a small file takes 0.1 ms. */
const READ_EVERY_MS = 1_000;

/**
 * Follows small files. They are read every second instead of being watched, so that every kind of file system works: Kubernetes mounts
 * a Secret as a link to a link, which it replaces. Texts that cannot be read or used leave the last ones in force, and are logged once.
 *
 * @returns A function that ends it.
 * @throws {PurserError} PURSER_CLI_USAGE when a file cannot be read at the start; and what `onTexts` throws.
 */
export async function followFiles(followed: FollowedFiles): Promise<() => void> {
  const { files, what, scheduler, logger, onTexts } = followed;
  const paths = files.map(({ path }) => path);
  const readAll = (): Promise<readonly string[]> => Promise.all(files.map(read));
  let texts = await readAll();
  onTexts(texts);
  let fault: string | undefined;
  let isReading = false;
  const again = async (): Promise<void> => {
    if (isReading) return;
    isReading = true;
    try {
      const next = await readAll();
      const isSame = next.every((text, index) => text === texts[index]);
      if (!isSame) {
        onTexts(next);
        texts = next;
        logger.info(`the ${what} were read anew`, { files: paths });
      }
      fault = undefined;
    } catch (error) {
      const message = messageOf(error);
      if (message !== fault)
        logger.error(`the ${what} cannot be used; the last ones stay in force`, {
          files: paths,
          error: message,
        });
      fault = message;
    } finally {
      isReading = false;
    }
  };
  return scheduler.every(READ_EVERY_MS, () => void again());
}

async function read({ path, flag }: FlaggedFile): Promise<string> {
  try {
    const file = await open(path);
    try {
      const { bytesRead, buffer } = await file.read(Buffer.alloc(MAX_BYTES + 1), 0, MAX_BYTES + 1, 0);
      if (bytesRead > MAX_BYTES) throw new Error(`it has more than ${MAX_BYTES} bytes`);
      return buffer.toString("utf8", 0, bytesRead);
    } finally {
      await file.close();
    }
  } catch (cause) {
    throw new PurserError("PURSER_CLI_USAGE", `${flag} ${path} cannot be read: ${messageOf(cause)}`, {
      cause,
    });
  }
}
