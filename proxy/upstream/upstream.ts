// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Readable } from "node:stream";
import { type Dispatcher, Pool } from "undici";

import type { Endpoint } from "../../core/traffic/model.ts";
import { HeaderList } from "../transport/contract/header-list.ts";

/** The seam between the proxy and whatever carries its requests: today undici. */

interface UpstreamRequest {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  /** With `host`; flat, in lower case, without hop-by-hop fields. */
  readonly headers: readonly string[];
  readonly body: Buffer | Readable | null;
}

/** Receives one response: a head, data, then an end or a failure; or a failure alone. Nothing after `cancel()`. */
export interface UpstreamReceiver {
  onHead(status: number, headers: HeaderList): void;
  /** Returns false to have no more until `resume()`. */
  onData(chunk: Buffer): boolean;
  onEnd(): void;
  onFailure(failure: UpstreamFailure): void;
}

export interface UpstreamFailure {
  /**
   * `connect`: nothing was sent. `reset`: the connection broke. `protocol`: what came is not HTTP. `request`: this
   * request cannot be sent at all.
   */
  readonly kind: "connect" | "reset" | "protocol" | "request";
  /** Whether an earlier response had come on the same connection: it may just have been closed for idleness. */
  readonly reused: boolean;
  readonly cause: Error;
}

export interface UpstreamCall {
  resume(): void;
  /** Gives the request up, and its connection with it. The receiver hears nothing more. */
  cancel(): void;
}

interface UpstreamSettings {
  readonly connectTimeoutMs: number;
  readonly maxConnections: number;
  /** Response header block at most, in bytes. */
  readonly maxHeaderBytes: number;
}

/** One endpoint with its connections. It lives as long as any configuration in use names it. */
export class Upstream {
  readonly endpoint: Endpoint;
  readonly #pool: Pool;
  /** Requests under way. */
  active = 0;
  requestsTotal = 0;
  connectFailuresTotal = 0;

  constructor(endpoint: Endpoint, settings: UpstreamSettings) {
    this.endpoint = endpoint;
    const host = endpoint.address.includes(":") ? `[${endpoint.address}]` : endpoint.address;
    this.#pool = new Pool(`http://${host}:${endpoint.port}`, {
      connections: settings.maxConnections,
      connectTimeout: settings.connectTimeoutMs,
      pipelining: 1,
      maxHeaderSize: settings.maxHeaderBytes,
      // The proxy has its own deadlines, for the whole request and for each try.
      headersTimeout: 0,
      bodyTimeout: 0,
      // Below the 5 s after which Node's own servers close an idle connection, so that a request seldom meets the close.
      keepAliveTimeout: 4_000,
    });
  }

  send(request: UpstreamRequest, receiver: UpstreamReceiver): UpstreamCall {
    this.active++;
    this.requestsTotal++;
    const call = new Call(receiver, (failure) => {
      this.active--;
      if (failure?.kind === "connect") this.connectFailuresTotal++;
    });
    this.#pool.dispatch(
      {
        method: request.method,
        path: request.path,
        headers: request.headers as string[],
        body: request.body,
      },
      call,
    );
    return call;
  }

  get stats(): { readonly connected: number; readonly pending: number } {
    const { connected, pending } = this.#pool.stats;
    return { connected, pending };
  }

  /** Lets what is under way finish, then closes the connections. */
  async close(): Promise<void> {
    if (!this.#pool.closed) await this.#pool.close();
  }

  /** Cuts everything at once. */
  async destroy(): Promise<void> {
    if (!this.#pool.destroyed) await this.#pool.destroy();
  }
}

/** What undici calls a response that breaks HTTP's rules without being unreadable. */
const MALFORMED: ReadonlySet<string> = new Set([
  "UND_ERR_HEADERS_OVERFLOW",
  "UND_ERR_RES_CONTENT_LENGTH_MISMATCH",
]);

class Call implements UpstreamCall, Dispatcher.DispatchHandler {
  readonly #receiver: UpstreamReceiver;
  readonly #onOver: (failure: UpstreamFailure | undefined) => void;
  #controller: Dispatcher.DispatchController | undefined;
  #over = false;

  constructor(receiver: UpstreamReceiver, onOver: (failure: UpstreamFailure | undefined) => void) {
    this.#receiver = receiver;
    this.#onOver = onOver;
  }

  resume(): void {
    this.#controller?.resume();
  }

  cancel(): void {
    if (this.#over) return;
    this.#finish();
    // Without a controller the request still waits for a connection; it is aborted when it gets one.
    this.#controller?.abort(new Error("cancelled"));
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#over) controller.abort(new Error("cancelled"));
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number): void {
    // Interim responses (103 and the like) are not passed on: they promise nothing that the final one does not say.
    if (this.#over || status < 200) return;
    this.#receiver.onHead(status, HeaderList.fromBytes((controller.rawHeaders ?? []) as (Buffer | string)[]));
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (!this.#over && !this.#receiver.onData(chunk)) controller.pause();
  }

  onResponseEnd(): void {
    if (this.#over) return;
    this.#finish();
    this.#receiver.onEnd();
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    if (this.#over) return;
    const failure = failureOf(error, this.#controller !== undefined);
    this.#finish(failure);
    this.#receiver.onFailure(failure);
  }

  #finish(failure?: UpstreamFailure): void {
    this.#over = true;
    this.#onOver(failure);
  }
}

function failureOf(error: Error, started: boolean): UpstreamFailure {
  const { code = "", socket } = error as { code?: string; socket?: { bytesRead?: number } };
  const failure = { reused: (socket?.bytesRead ?? 0) > 0, cause: error };
  if (code === "UND_ERR_INVALID_ARG" || code === "UND_ERR_NOT_SUPPORTED")
    return { kind: "request", ...failure };
  if (!started) return { kind: "connect", ...failure };
  const malformed = error.name === "HTTPParserError" || MALFORMED.has(code);
  return { kind: malformed ? "protocol" : "reset", ...failure };
}
