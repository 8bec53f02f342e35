// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Socket } from "node:net";
import type { Dispatcher } from "undici";

import type { ClientStream, ClientStreamReceiver } from "../contract/client.ts";
import { HeaderList } from "../contract/header-list.ts";
import type { StreamReset } from "../contract/reset.ts";
import { SocketTunnel } from "../node-http/socket-tunnel.ts";
import { RequestBody } from "./request-body.ts";

/** undici's error codes for responses that violate HTTP but can be parsed. */
const MALFORMED: ReadonlySet<string> = new Set([
  "UND_ERR_HEADERS_OVERFLOW",
  "UND_ERR_RES_CONTENT_LENGTH_MISMATCH",
]);

/** One request that undici carries. */
export class UndiciStream implements ClientStream, Dispatcher.DispatchHandler {
  readonly requestBody: RequestBody | undefined;
  readonly #receiver: ClientStreamReceiver;
  #controller: Dispatcher.DispatchController | undefined;
  #tunnel: SocketTunnel | undefined;
  #over = false;

  constructor(receiver: ClientStreamReceiver, streamsBody: boolean) {
    this.#receiver = receiver;
    this.requestBody = streamsBody ? new RequestBody(receiver) : undefined;
  }

  write(chunk: Uint8Array): boolean {
    if (this.#over) return true;
    return this.#tunnel?.write(chunk) ?? this.requestBody?.write(chunk) ?? true;
  }

  end(): void {
    if (this.#tunnel !== undefined) this.#tunnel.end();
    else this.requestBody?.finish();
  }

  pause(): void {
    if (this.#tunnel !== undefined) this.#tunnel.pause();
    else this.#controller?.pause();
  }

  resume(): void {
    if (this.#tunnel !== undefined) this.#tunnel.resume();
    else this.#controller?.resume();
  }

  reset(): void {
    if (this.#over) return;
    this.#over = true;
    this.#tunnel?.destroy();
    // Without a controller the request still waits for a connection; it is aborted once it gets one.
    this.#controller?.abort(new Error("cancelled"));
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#over) controller.abort(new Error("cancelled"));
  }

  onRequestUpgrade(
    controller: Dispatcher.DispatchController,
    status: number,
    _headers: unknown,
    duplex: unknown,
  ): void {
    const socket = duplex as Socket;
    if (this.#over) {
      socket.destroy();
      return;
    }
    const receiver = this.#receiver;
    this.#tunnel = new SocketTunnel(socket, {
      onData: (chunk) => receiver.onData(chunk),
      onEnd: () => receiver.onEnd(undefined),
      onWritable: () => receiver.onWritable(),
      onClose: (whole) => this.#onTunnelClose(whole),
    });
    receiver.onHead({ status, headers: headersOf(controller.rawHeaders) });
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number): void {
    if (this.#over) return;
    const head = { status, headers: headersOf(controller.rawHeaders) };
    if (status < 200) this.#receiver.onInformational(head);
    else this.#receiver.onHead(head);
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (!this.#over) this.#receiver.onData(chunk);
  }

  onResponseEnd(controller: Dispatcher.DispatchController): void {
    if (this.#over) return;
    this.#over = true;
    const { rawTrailers } = controller;
    const hasTrailers = Array.isArray(rawTrailers) && rawTrailers.length > 0;
    this.#receiver.onEnd(hasTrailers ? headersOf(rawTrailers) : undefined);
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    if (this.#over) return;
    this.#over = true;
    const reset = resetOf(error, this.#controller !== undefined);
    // undici reports a request that it cannot send synchronously, within its dispatch.
    if (reset.reason === "unsendable") queueMicrotask(() => this.#receiver.onReset(reset));
    else this.#receiver.onReset(reset);
  }

  #onTunnelClose(whole: boolean): void {
    if (this.#over) return;
    this.#over = true;
    if (whole) return;
    const detail = "the upgraded connection broke";
    this.#receiver.onReset({ reason: "connection-termination", connectionReused: false, detail });
  }
}

function headersOf(raw: unknown): HeaderList {
  return HeaderList.fromBytes((raw ?? []) as (Buffer | string)[]);
}

function resetOf(error: Error, started: boolean): StreamReset {
  const { code = "", socket } = error as { code?: string; socket?: { bytesRead?: number } };
  const rest = { connectionReused: (socket?.bytesRead ?? 0) > 0, detail: error.message };
  if (code === "UND_ERR_INVALID_ARG" || code === "UND_ERR_NOT_SUPPORTED") {
    return { reason: "unsendable", ...rest };
  }
  if (!started) return { reason: "connection-failure", ...rest };
  const malformed = error.name === "HTTPParserError" || MALFORMED.has(code);
  return { reason: malformed ? "protocol-error" : "connection-termination", ...rest };
}
