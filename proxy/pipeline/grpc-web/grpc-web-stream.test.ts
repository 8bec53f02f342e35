// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import fc from "fast-check";
import type { GrpcWebForm } from "../../exchange/grpc-web-call.ts";
import type { BodyReceiver } from "../../transport/contract/body.ts";
import type { ResponseHead } from "../../transport/contract/head.ts";
import { HeaderList } from "../../transport/contract/header-list.ts";
import type { ServerStream, ServerStreamEvents } from "../../transport/contract/server.ts";
import { cut } from "./base64-decoder.test.ts";
import { GrpcWebStream } from "./grpc-web-stream.ts";

/** The client's stream: keeps the response, and hands on the request that the test gives it. */
class Client {
  readonly written: Uint8Array[] = [];
  readonly faults: string[] = [];
  sent: ResponseHead | undefined = undefined;
  trailers: HeaderList | undefined = undefined;
  ends = 0;
  receiver: BodyReceiver | undefined = undefined;
  readonly events = {
    onMalformed: (detail: string) => this.faults.push(detail),
  } as unknown as ServerStreamEvents;

  read(receiver: BodyReceiver): void {
    this.receiver = receiver;
  }
  sendHead(head: ResponseHead): void {
    this.sent = head;
  }
  write(chunk: Uint8Array): boolean {
    this.written.push(chunk);
    return true;
  }
  end(trailers?: HeaderList): void {
    this.ends++;
    this.trailers = trailers;
  }
}

function start(form: GrpcWebForm): { readonly client: Client; readonly stream: GrpcWebStream } {
  const client = new Client();
  const call = { request: form, response: form };
  return { client, stream: new GrpcWebStream(client as unknown as ServerStream, call) };
}

const headOf = (...fields: string[]): ResponseHead => ({ status: 200, headers: new HeaderList(fields) });

/** The frames of a body: flags and content. */
function framesOf(body: Buffer): readonly (readonly [flags: number, content: string])[] {
  const frames: (readonly [number, string])[] = [];
  let at = 0;
  while (at < body.length) {
    const end = at + 5 + body.readUInt32BE(at + 1);
    assert.ok(end <= body.length, "a frame is cut off");
    frames.push([body[at] as number, body.toString("latin1", at + 5, end)]);
    at = end;
  }
  return frames;
}

function frameOf(message: Uint8Array): Buffer {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}

/** Each chunk is decoded by itself, as by a client that reads what comes. */
function bodyOf({ written }: Client, form: GrpcWebForm): Buffer {
  return Buffer.concat(
    form === "binary"
      ? written
      : written.map((chunk) => Buffer.from(Buffer.from(chunk).toString(), "base64")),
  );
}

const places = fc.array(fc.nat(400), { maxLength: 8 });
const messages = fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 6 });

describe("a stream of gRPC-Web", () => {
  for (const form of ["binary", "text"] as const) {
    it(`gives the client the same frames however the response is cut (${form})`, () => {
      fc.assert(
        fc.property(messages, places, (sent, at) => {
          const { client, stream } = start(form);
          stream.sendHead(headOf("content-type", "application/grpc"));
          for (const chunk of cut(Buffer.concat(sent.map(frameOf)), at)) stream.write(chunk);
          stream.end(new HeaderList(["grpc-status", "5", "grpc-message", "caf%C3%A9"]));
          const frames = framesOf(bodyOf(client, form));
          assert.deepEqual(frames, [
            ...sent.map((message) => [0, Buffer.from(message).toString("latin1")] as const),
            [0x80, "grpc-status:5\r\ngrpc-message:caf%C3%A9\r\n"],
          ]);
          assert.equal(client.trailers, undefined);
        }),
      );
    });

    it(`gives the upstream the same bytes however the request is cut (${form})`, () => {
      fc.assert(
        fc.property(messages, places, (sent, at) => {
          const { client, stream } = start(form);
          const received: Uint8Array[] = [];
          let ends = 0;
          stream.read({ onData: (chunk) => received.push(chunk), onEnd: () => ends++ });
          const frames = sent.map(frameOf);
          const body =
            form === "binary"
              ? Buffer.concat(frames)
              : Buffer.from(frames.map((each) => each.toString("base64")).join(""));
          for (const chunk of cut(body, at)) client.receiver?.onData(chunk);
          client.receiver?.onEnd(undefined);
          assert.deepEqual(Buffer.concat(received), Buffer.concat(frames));
          assert.deepEqual([ends, client.faults], [1, []]);
        }),
      );
    });
  }

  it("tells once of a request that is not base64, and hands nothing of it on", () => {
    for (const chunks of [
      ["AAAA", "AA!A", "AAAA"],
      ["AAAA", "AA="],
    ]) {
      const { client, stream } = start("text");
      let calls = 0;
      stream.read({ onData: () => calls++, onEnd: () => assert.fail("the body has no end") });
      for (const chunk of chunks) client.receiver?.onData(Buffer.from(chunk));
      client.receiver?.onEnd(undefined);
      assert.deepEqual([calls, client.faults.length], [1, 1]);
    }
  });

  it("names the response's content type, and drops the fields that are no longer true", () => {
    const table = [
      ["application/grpc", "binary", "application/grpc-web+proto"],
      ["application/grpc+json", "binary", "application/grpc-web+json"],
      ["Application/gRPC; charset=x", "text", "application/grpc-web-text+proto"],
    ] as const;
    for (const [given, form, expected] of table) {
      const { client, stream } = start(form);
      stream.sendHead(
        headOf("content-type", given, "content-length", "5", "trailer", "grpc-status", "x-a", "b"),
      );
      assert.deepEqual(client.sent?.headers.flat(), ["content-type", expected, "x-a", "b"]);
    }
  });

  it("passes a response that is not gRPC as it is", () => {
    for (const type of ["text/html", "application/grpc-websocket", "application/grpc-web+proto"]) {
      const { client, stream } = start("text");
      stream.sendHead(headOf("content-type", type, "content-length", "2"));
      stream.write(Buffer.from("hi"));
      const trailers = new HeaderList(["x-sum", "7"]);
      stream.end(trailers);
      assert.deepEqual(client.sent?.headers.flat(), ["content-type", type, "content-length", "2"]);
      assert.deepEqual([Buffer.concat(client.written).toString(), client.trailers], ["hi", trailers]);
    }
  });

  it("writes no frame without trailers, as of a response that is its head alone", () => {
    for (const trailers of [undefined, new HeaderList()]) {
      const { client, stream } = start("text");
      stream.sendHead(headOf("content-type", "application/grpc", "grpc-status", "7"));
      stream.end(trailers);
      assert.deepEqual([client.written, client.ends], [[], 1]);
    }
  });
});
