// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { PurserError } from "../../plugins/sdk/index.ts";

/** Replies with which Redis refuses for good, until somebody changes its configuration, its data or ours. */
const PERMANENT_REPLY = /^(NOAUTH|WRONGPASS|NOPERM|WRONGTYPE|FOREIGN|ERR (?!max number of clients))/;

/** Makes the errors that the store rejects with. They never carry what the client library says of its commands. */
export class Failures {
  readonly #address: string;
  readonly #secrets: readonly string[];

  constructor(target: {
    readonly host: string;
    readonly port: number;
    readonly password: string | undefined;
  }) {
    this.#address = `${target.host.includes(":") ? `[${target.host}]` : target.host}:${target.port}`;
    const { password } = target;
    this.#secrets = password === undefined || password === "" ? [] : [password, encodeURIComponent(password)];
  }

  get address(): string {
    return this.#address;
  }

  /** What Redis, or the way to it, did wrong. */
  of(error: unknown): PurserError {
    const reason = this.reasonOf(error);
    return this.unavailable(`failed: ${reason}`, !PERMANENT_REPLY.test(reason));
  }

  unavailable(what: string, retryable = true): PurserError {
    return new PurserError("PURSER_STORE_UNAVAILABLE", `redis at ${this.#address} ${what}`, {
      retryable,
      details: { address: this.#address },
    });
  }

  /**
   * The message alone: an error of ioredis also has the command with its arguments, and that may be AUTH. Several
   * addresses that all refuse give an error without a message, but with a code.
   */
  reasonOf(error: unknown): string {
    const { message, code } = error as { readonly message?: unknown; readonly code?: unknown };
    let reason = [message, code, "unknown"].find((text) => typeof text === "string" && text !== "") as string;
    for (const secret of this.#secrets) reason = reason.replaceAll(secret, "[redacted]");
    return reason;
  }
}
