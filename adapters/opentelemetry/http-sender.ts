// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { type CallContext, type Clock, type HttpClient } from "../../plugins/sdk/index.ts";
import { type Config, type Signal, urlOf } from "./config.ts";
import { httpFault } from "./http-failure.ts";
import { type Sender, timedOut } from "./sender.ts";

const compressed = promisify(gzip);

/** OTLP over HTTP/1.1. The host closes the client's connections. */
export class HttpSender implements Sender {
  readonly #config: Config;
  readonly #http: HttpClient;
  readonly #clock: Clock;
  readonly #headers: Readonly<Record<string, string>>;

  constructor(config: Config, http: HttpClient, clock: Clock) {
    this.#config = config;
    this.#http = http;
    this.#clock = clock;
    this.#headers = {
      ...config.headers,
      "content-type": config.protocol === "http/json" ? "application/json" : "application/x-protobuf",
      ...(config.compression === "gzip" ? { "content-encoding": "gzip" } : {}),
    };
  }

  async send(signal: Signal, request: Uint8Array, call: CallContext): Promise<Uint8Array> {
    const url = urlOf(this.#config, signal);
    const body = this.#config.compression === "gzip" ? await compressed(request) : request;
    if (call.signal.aborted) throw timedOut(new URL(url).origin);
    const response = await this.#http.request({ url, method: "POST", headers: this.#headers, body }, call);
    const fault = httpFault(response, this.#clock);
    if (fault !== undefined) throw fault;
    return response.body;
  }

  close(): void {}
}
