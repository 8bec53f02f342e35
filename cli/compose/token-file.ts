// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { PurserError } from "../../kernel/errors.ts";
import type { Logger, Scheduler } from "../../kernel/ports.ts";
import { type FlaggedFile, followFiles } from "./follow-files.ts";

/** A file of bearer tokens, one on each line; empty lines are ignored. */
export interface TokenFileOptions extends FlaggedFile {
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

/** A token of RFC 6750, section 2.1. */
const TOKEN = /^[A-Za-z0-9._~+/-]+=*$/;

/**
 * Follows a file of tokens as `followFiles` does.
 *
 * @returns A function that ends it.
 * @throws {PurserError} PURSER_CLI_USAGE when the file has no valid tokens at the start.
 */
export function followTokenFile({ onTokens, ...options }: TokenFileOptions): Promise<() => void> {
  const { flag, path, scheduler, logger } = options;
  return followFiles({
    files: [{ flag, path }],
    what: "tokens",
    scheduler,
    logger,
    onTexts: ([text = ""]) => onTokens(tokensOf(text, options)),
  });
}

/** Messages name the line and never the token. */
function tokensOf(text: string, { path, flag }: FlaggedFile): readonly string[] {
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
