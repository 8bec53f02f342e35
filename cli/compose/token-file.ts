// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { open } from "node:fs/promises";
import { messageOf, PurserError } from "../../kernel/errors.ts";
import type { Logger, Scheduler } from "../../kernel/ports.ts";

/** A file of bearer tokens, one on each line; empty lines are ignored. */
export interface TokenFileOptions {
  readonly path: string;
  /** The flag that names the file, for messages. */
  readonly flag: string;
  readonly scheduler: Scheduler;
  readonly logger: Logger;
  /** Called with the tokens at first, and after each change of the file. */
  readonly onTokens: (tokens: readonly string[]) => void;
}

/** Shorter tokens can be guessed. */
const SHORTEST_TOKEN = 16;
/** node:http refuses header fields of more than 16 KiB together. */
const LONGEST_TOKEN = 4_096;
const MAX_TOKENS = 100;
const MAX_BYTES = 64 * 1_024;

/** Maximum age of a token that was removed from the file, in milliseconds. The file is small: reading it takes 0.1 ms. */
const READ_EVERY_MS = 1_000;

/** A token of RFC 6750, section 2.1. */
const TOKEN = /^[A-Za-z0-9._~+/-]+=*$/;

/**
 * Follows a file of tokens. It is read every second instead of being watched, so that files of every kind work: Kubernetes mounts a
 * Secret as a link to a link, which it replaces. A file that cannot be read, or has no valid tokens, leaves the last tokens in force
 * and is logged once.
 *
 * @returns A function that ends it.
 * @throws {PurserError} PURSER_CLI_USAGE when the file has no valid tokens at the start.
 */
export async function followTokenFile(options: TokenFileOptions): Promise<() => void> {
  const { path, flag, scheduler, logger, onTokens } = options;
  let text = await read(path, flag);
  onTokens(tokensOf(text, path, flag));
  let isFaulty = false;
  let isReading = false;
  const again = async (): Promise<void> => {
    if (isReading) return;
    isReading = true;
    try {
      const next = await read(path, flag);
      if (next !== text || isFaulty) {
        onTokens(tokensOf(next, path, flag));
        text = next;
        logger.info("the tokens were read anew", { file: path });
      }
      isFaulty = false;
    } catch (error) {
      if (!isFaulty)
        logger.error("the tokens cannot be read; the last ones stay in force", {
          file: path,
          error: messageOf(error),
        });
      isFaulty = true;
    } finally {
      isReading = false;
    }
  };
  return scheduler.every(READ_EVERY_MS, () => void again());
}

async function read(path: string, flag: string): Promise<string> {
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

/** Messages name the line and never the token. */
function tokensOf(text: string, path: string, flag: string): readonly string[] {
  const tokens: string[] = [];
  for (const [index, line] of text.split("\n").entries()) {
    const token = line.trim();
    if (token === "") continue;
    if (token.length < SHORTEST_TOKEN || token.length > LONGEST_TOKEN || !TOKEN.test(token))
      throw new PurserError(
        "PURSER_CLI_USAGE",
        `line ${index + 1} of ${path} is not a token: it must have ${SHORTEST_TOKEN} to ${LONGEST_TOKEN} letters, digits and characters of -._~+/, as \`openssl rand -hex 32\` writes them`,
      );
    tokens.push(token);
  }
  if (tokens.length === 0)
    throw new PurserError("PURSER_CLI_USAGE", `${flag} ${path} has no token: write one on a line of its own`);
  if (tokens.length > MAX_TOKENS)
    throw new PurserError("PURSER_CLI_USAGE", `${path} has more than ${MAX_TOKENS} tokens`);
  return tokens;
}
