// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { PurserError } from "../../plugins/sdk/index.ts";

/** Replies with which Redis refuses permanently, until its configuration, its data or ours is changed. */
const PERMANENT_REPLY = /^(NOAUTH|WRONGPASS|NOPERM|WRONGTYPE|FOREIGN|ERR (?!max number of clients))/;

/**
 * Builds the errors that the store rejects with. They never contain the client library's record of its
 * commands.
 */
export class Failures {
  /** The servers' addresses, for messages. */
  readonly address: string;
  readonly #secrets: readonly string[];

  /** @param passwords Texts that no message may show; undefined and empty ones are ignored. */
  constructor(address: string, passwords: readonly (string | undefined)[]) {
    this.address = address;
    this.#secrets = passwords.flatMap((password) =>
      password === undefined || password === "" ? [] : [password, encodeURIComponent(password)],
    );
  }

  /** Error for a failure of Redis or of the connection to it. */
  of(error: unknown): PurserError {
    const reason = this.reasonOf(error);
    return this.unavailable(`failed: ${reason}`, !PERMANENT_REPLY.test(reason));
  }

  unavailable(what: string, retryable = true): PurserError {
    return new PurserError("PURSER_STORE_UNAVAILABLE", `redis at ${this.address} ${what}`, {
      retryable,
      details: { address: this.address },
    });
  }

  /**
   * Only the message: an ioredis error also has the command with its arguments, which may be AUTH. When all
   * of several addresses refuse, the error has a code but no message.
   */
  reasonOf(error: unknown): string {
    const { message, code } = error as { readonly message?: unknown; readonly code?: unknown };
    let reason = [message, code, "unknown"].find((text) => typeof text === "string" && text !== "") as string;
    for (const secret of this.#secrets) reason = reason.replaceAll(secret, "[redacted]");
    return reason;
  }
}
