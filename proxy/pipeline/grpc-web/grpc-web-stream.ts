// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { type GrpcWebCall, grpcWebContentType } from "../../exchange/grpc-web-call.ts";
import type { BodyReceiver } from "../../transport/contract/body.ts";
import type { ConnectionFacts } from "../../transport/contract/connection.ts";
import type { RequestHead, ResponseHead } from "../../transport/contract/head.ts";
import type { HeaderList } from "../../transport/contract/header-list.ts";
import type { ResetCause } from "../../transport/contract/reset.ts";
import type { ServerStream, ServerStreamEvents } from "../../transport/contract/server.ts";
import { DecodedBody } from "./decoded-body.ts";
import { trailersFrame } from "./trailers-frame.ts";

/**
 * The client's side of a gRPC-Web call, as a stream of gRPC: text is decoded and encoded, and the trailers of the response
 * become the last frame of its body. A response that is not gRPC passes unchanged: clients translate its HTTP status.
 * Nothing is buffered.
 */
export class GrpcWebStream implements ServerStream {
  readonly head: RequestHead;
  readonly connection: ConnectionFacts;
  readonly #client: ServerStream;
  readonly #call: GrpcWebCall;
  /** Whether the response is one of gRPC. */
  #isTranslated = false;

  constructor(client: ServerStream, call: GrpcWebCall) {
    this.head = client.head;
    this.connection = client.connection;
    this.#client = client;
    this.#call = call;
  }

  get events(): ServerStreamEvents | undefined {
    return this.#client.events;
  }

  set events(events: ServerStreamEvents | undefined) {
    this.#client.events = events;
  }

  read(receiver: BodyReceiver): void {
    this.#client.read(
      this.#call.request === "text" ? new DecodedBody(receiver, (detail) => this.#refuse(detail)) : receiver,
    );
  }

  pause(): void {
    this.#client.pause();
  }

  resume(): void {
    this.#client.resume();
  }

  sendInformational(head: ResponseHead): void {
    this.#client.sendInformational(head);
  }

  sendHead(head: ResponseHead): void {
    const { headers } = head;
    const contentType = grpcWebContentType(headers.get("content-type"), this.#call);
    this.#isTranslated = contentType !== undefined;
    if (contentType !== undefined) {
      headers.set("content-type", contentType);
      // The body becomes longer, and has no trailers.
      headers.remove("content-length");
      headers.remove("trailer");
    }
    this.#client.sendHead(head);
  }

  write(chunk: Uint8Array): boolean {
    if (!this.#isTranslated || this.#call.response === "binary") return this.#client.write(chunk);
    return this.#client.write(encoded(chunk));
  }

  end(trailers?: HeaderList): void {
    if (!this.#isTranslated) return this.#client.end(trailers);
    const frame = trailers === undefined ? undefined : trailersFrame(trailers);
    if (frame !== undefined) this.write(frame);
    this.#client.end();
  }

  closeConnectionAfter(): void {
    this.#client.closeConnectionAfter();
  }

  reset(cause?: ResetCause): void {
    this.#client.reset(cause);
  }

  #refuse(detail: string): void {
    this.#client.events?.onMalformed(detail);
  }
}

/** Each chunk is padded, so that the client can decode it when it comes. */
function encoded(chunk: Uint8Array): Uint8Array {
  const { buffer, byteOffset, byteLength } = chunk;
  return Buffer.from(Buffer.from(buffer, byteOffset, byteLength).toString("base64"), "latin1");
}
