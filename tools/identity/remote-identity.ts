// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type {
  CreatedToken,
  IdentityStatus,
  RevocationChange,
  RevokeCommand,
  TokenCommand,
} from "../../api/identity-service.ts";
import { errorOfBody } from "../../api/json/error-body.ts";
import {
  decodeCreatedToken,
  decodeIdentityStatus,
  decodeRevocationChange,
  RESTORE_PATH,
  REVOKE_PATH,
  ROTATE_PATH,
  STATUS_PATH,
  TOKENS_PATH,
} from "../../api/json/identity.ts";
import { messageOf, PurserError } from "../../kernel/errors.ts";

/** Deadline of one call, in milliseconds. */
const CALL_MS = 10_000;

/**
 * An identity service's calls for operators, over HTTP. Every function throws the PurserError that the service answers with,
 * and PURSER_IDENTITY_UNAVAILABLE when it does not answer within 10 s.
 */
export class RemoteIdentity {
  readonly #url: string;
  readonly #key: string;

  /**
   * @param url Of the operators' surface, such as http://127.0.0.1:15014.
   * @param key The operator's key.
   */
  constructor(url: string, key: string) {
    this.#url = url.replace(/\/+$/, "");
    this.#key = key;
  }

  async createToken(command: TokenCommand): Promise<CreatedToken> {
    return decodeCreatedToken(await this.#call("POST", TOKENS_PATH, command));
  }

  async revoke(command: RevokeCommand): Promise<RevocationChange> {
    return decodeRevocationChange(await this.#call("POST", REVOKE_PATH, command));
  }

  async restore(command: RevokeCommand): Promise<RevocationChange> {
    return decodeRevocationChange(await this.#call("POST", RESTORE_PATH, command));
  }

  async rotateRoot(): Promise<IdentityStatus> {
    return decodeIdentityStatus(await this.#call("POST", ROTATE_PATH, {}));
  }

  async status(): Promise<IdentityStatus> {
    return decodeIdentityStatus(await this.#call("GET", STATUS_PATH));
  }

  async #call(method: string, path: string, body?: unknown): Promise<unknown> {
    let status: number;
    let text: string;
    try {
      const response = await fetch(this.#url + path, {
        method,
        signal: AbortSignal.timeout(CALL_MS),
        headers: { authorization: `Bearer ${this.#key}`, "content-type": "application/json" },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      status = response.status;
      text = await response.text();
    } catch (error) {
      const cause = (error as { readonly cause?: unknown }).cause ?? error;
      throw unavailable(`${this.#url} does not answer: ${messageOf(cause)}`, cause);
    }
    if (status !== 200) throw errorOfBody(text) ?? unavailable(`${this.#url} answered ${status}`);
    try {
      return JSON.parse(text) as unknown;
    } catch (cause) {
      throw unavailable(`${this.#url} answered something that is not JSON`, cause);
    }
  }
}

function unavailable(message: string, cause?: unknown): PurserError {
  return new PurserError("PURSER_IDENTITY_UNAVAILABLE", message, { cause });
}
