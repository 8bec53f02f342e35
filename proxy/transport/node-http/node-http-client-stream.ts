// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { type Agent, type ClientRequest, type IncomingMessage, request } from "node:http";
import type { Socket } from "node:net";

import type { ClientSettings, ClientStream, ClientStreamReceiver } from "../contract/client.ts";
import type { RequestHead } from "../contract/head.ts";
import { HeaderList } from "../contract/header-list.ts";
import type { ResetReason } from "../contract/reset.ts";
import { fieldPairs } from "./field-pairs.ts";
import { trailersOf } from "./request-head.ts";

/**
 * A request with a chunked body that may have trailers, which undici cannot send. Its connection closes after
 * it.
 */
export class NodeHttpClientStream implements ClientStream {
  readonly #request: ClientRequest;
  readonly #receiver: ClientStreamReceiver;
  #response: IncomingMessage | undefined;
  #isConnected = false;
  #over = false;

  constructor(head: RequestHead, settings: ClientSettings, agent: Agent, receiver: ClientStreamReceiver) {
    this.#receiver = receiver;
    this.#request = request({
      agent,
      host: settings.host,
      port: settings.port,
      method: head.method,
      path: head.target,
      headers: [...head.headers.wire(), "transfer-encoding", "chunked"],
      maxHeaderSize: settings.maxHeaderBytes,
      setHost: false,
    });
    this.#request.on("socket", (socket) => this.#onSocket(socket, settings.connectTimeoutMs));
    this.#request.on("information", ({ statusCode, rawHeaders }) => {
      if (!this.#over)
        receiver.onInformational({ status: statusCode, headers: HeaderList.fromRaw(rawHeaders) });
    });
    this.#request.on("drain", () => receiver.onWritable());
    this.#request.on("response", (response) => this.#onResponse(response));
    this.#request.on("error", (error) => this.#onError(error));
  }

  write(chunk: Uint8Array): boolean {
    return this.#over || this.#request.write(chunk);
  }

  end(trailers?: HeaderList): void {
    if (this.#over) return;
    if (trailers !== undefined) this.#request.addTrailers(fieldPairs(trailers));
    this.#request.end();
  }

  pause(): void {
    this.#response?.pause();
  }

  resume(): void {
    this.#response?.resume();
  }

  reset(): void {
    this.#over = true;
    this.#request.destroy();
  }

  #onSocket(socket: Socket, connectTimeoutMs: number): void {
    socket.setTimeout(connectTimeoutMs, () => socket.destroy(new Error("the connection took too long")));
    socket.once("connect", () => {
      this.#isConnected = true;
      socket.setTimeout(0);
    });
  }

  #onResponse(response: IncomingMessage): void {
    if (this.#over) return;
    this.#response = response;
    const { statusCode: status = 0, rawHeaders } = response;
    response.on("data", (chunk: Buffer) => {
      if (!this.#over) this.#receiver.onData(chunk);
    });
    response.on("end", () => {
      if (this.#over) return;
      this.#over = true;
      // After an early response, the rest of the request is not sent.
      this.#request.destroy();
      this.#receiver.onEnd(trailersOf(response));
    });
    response.on("error", (error) => this.#onError(error));
    this.#receiver.onHead({ status, headers: HeaderList.fromRaw(rawHeaders) });
  }

  #onError(error: NodeJS.ErrnoException): void {
    if (this.#over) return;
    this.#over = true;
    const reason = this.#reasonOf(error);
    this.#receiver.onReset({ reason, connectionReused: false, detail: error.message });
  }

  #reasonOf({ code = "" }: NodeJS.ErrnoException): ResetReason {
    if (code.startsWith("HPE_")) return "protocol-error";
    return this.#isConnected ? "connection-termination" : "connection-failure";
  }
}
