// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { type CallContext, type Clock, type HttpClient, PurserError } from "../../../plugins/sdk/index.ts";
import type { TokenSource } from "../auth/token-source.ts";
import { type ApiFailure, failureOf } from "./failure.ts";

export interface GoogleApiOptions {
  /** The service's name in messages, such as `Cloud Logging`. */
  readonly service: string;
  /** Base URL without a slash at its end. */
  readonly endpoint: string;
  readonly http: HttpClient;
  readonly tokens: TokenSource;
  readonly clock: Clock;
}

/** Authorized calls of one of Google's REST services. */
export class GoogleApi {
  readonly #options: GoogleApiOptions;
  #healthy = true;

  constructor(options: GoogleApiOptions) {
    this.#options = options;
  }

  /** Whether the last call was answered, even by a refusal of some of its content. */
  get healthy(): boolean {
    return this.#healthy;
  }

  /**
   * Posts a body of JSON to a path that begins with a slash.
   *
   * @returns The refusal, or undefined when the service accepted everything.
   * @throws PurserError as HttpClient.request does, and PURSER_HANDLER_FAILED when there is no access token.
   */
  async post(path: string, body: string, call: CallContext): Promise<ApiFailure | undefined> {
    try {
      const failure = await this.#post(path, body, call);
      this.#healthy = failure === undefined || failure.status === "INVALID_ARGUMENT";
      return failure;
    } catch (error) {
      this.#healthy = false;
      throw error;
    }
  }

  async #post(path: string, body: string, call: CallContext): Promise<ApiFailure | undefined> {
    const { service, endpoint, http, tokens, clock } = this.#options;
    const token = await tokens.token(call);
    const authorization = token === undefined ? {} : { authorization: `Bearer ${token}` };
    const response = await http.request(
      {
        url: `${endpoint}${path}`,
        method: "POST",
        headers: { "content-type": "application/json", ...authorization },
        body,
      },
      call,
    );
    const failure = failureOf(response, service, clock);
    // A token may be revoked before it expires. A new token is worth one more try; a refused new token is not.
    if (response.status === 401 && failure !== undefined && token !== undefined && tokens.renew(token))
      return { ...failure, error: retryableOf(failure.error) };
    return failure;
  }
}

function retryableOf({ code, message, details }: PurserError): PurserError {
  return new PurserError(code, message, { retryable: true, details });
}
