// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { connect as connectHttp2 } from "node:http2";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";

import { type Authority, createAuthority } from "../../test/support/certificates.ts";
import {
  cleanUp,
  clusterOf,
  configOf,
  endpointAt,
  groupOf,
  onCleanup,
  startProxy,
  until,
} from "../testing/harness.test.ts";
import { WrittenFiles } from "../transport/tls/tls-rig.test.ts";

const UPLOAD_BYTES = 16 << 20;
const BLOCK = Buffer.alloc(64 << 10, "x");
const RUNS = 10;

const responseOf = (body: string): string =>
  `HTTP/1.1 413 Content Too Large\r\ncontent-length: ${body.length}\r\nconnection: close\r\n\r\n${body}`;

/** Larger than what is read in the turn in which it comes, and smaller than the kernel's buffers: a reset drops what is unsent. */
const LARGE = "b".repeat(40_000);

/** The ways in which upstreams answer an upload of which they have read the beginning. */
const UPSTREAMS: Readonly<
  Record<string, { readonly body: string; readonly answer: (socket: Socket) => void }>
> = {
  "keeps the connection open": { body: "big", answer: (socket) => void socket.write(responseOf("big")) },
  "closes it with unread bytes": {
    body: "big",
    answer: (socket) => void socket.write(responseOf("big"), () => socket.destroy()),
  },
  "closes it after a large body": {
    body: LARGE,
    answer: (socket) => void socket.write(responseOf(LARGE), () => socket.destroy()),
  },
  "ends its side, and resets the connection": {
    body: "big",
    answer: (socket) => {
      socket.end(responseOf("big"));
      setTimeout(() => socket.destroy(), 2);
    },
  },
};

/** Answers a connection once `afterBytes` of its request have come, and reads no more. */
function answering(answer: (socket: Socket) => void, afterBytes: number): (socket: Socket) => void {
  return (socket) => {
    let bytes = 0;
    const onData = (chunk: Buffer): void => {
      bytes += chunk.byteLength;
      if (bytes < afterBytes) return;
      socket.off("data", onData);
      socket.pause();
      answer(socket);
    };
    socket.on("error", () => {});
    socket.on("data", onData);
    onCleanup(() => void socket.destroy());
  };
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onCleanup(() => new Promise((resolve) => server.close(resolve)));
  return (server.address() as AddressInfo).port;
}

/** Uploads over HTTP/1.1 until the proxy ends its side; returns the status and the body of the response. */
function upload(port: number): Promise<readonly [number, string]> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
    const timer = setTimeout(() => socket.destroy(), 10_000);
    let received = "";
    let sent = 0;
    const send = (): void => {
      while (sent < UPLOAD_BYTES && !socket.destroyed) {
        sent += BLOCK.byteLength;
        if (!socket.write(BLOCK)) return;
      }
    };
    socket.on("drain", send);
    socket.on("data", (chunk) => (received += chunk.toString("latin1")));
    socket.on("error", () => {});
    socket.on("end", () => socket.destroy());
    socket.on("close", () => {
      clearTimeout(timer);
      const [head = "", body = ""] = received.split("\r\n\r\n");
      resolve([Number(head.slice(9, 12)), body]);
    });
    socket.write(`POST / HTTP/1.1\r\nhost: a\r\ncontent-length: ${UPLOAD_BYTES}\r\n\r\n`);
    send();
  });
}

/** Uploads over HTTP/2; returns the status, the body and the code that ends the stream. */
function uploadHttp2(port: number): Promise<readonly [number, string, number]> {
  return new Promise((resolve) => {
    const session = connectHttp2(`http://127.0.0.1:${port}`);
    session.on("error", () => {});
    const stream = session.request({ ":method": "POST", ":path": "/", "content-length": UPLOAD_BYTES });
    const timer = setTimeout(() => session.destroy(), 10_000);
    let status = 0;
    let body = "";
    let sent = 0;
    const send = (): void => {
      while (sent < UPLOAD_BYTES && !stream.destroyed) {
        sent += BLOCK.byteLength;
        if (!stream.write(BLOCK)) return;
      }
    };
    stream.on("drain", send);
    stream.on("response", (headers) => (status = headers[":status"] ?? 0));
    stream.on("data", (chunk) => (body += String(chunk)));
    stream.on("error", () => {});
    stream.on("close", () => {
      clearTimeout(timer);
      session.destroy();
      resolve([status, body, stream.rstCode ?? -1]);
    });
    send();
  });
}

describe("a response before the end of the upload", () => {
  let authority: Authority;
  let files: WrittenFiles;
  let certificate: { readonly cert: string; readonly key: string };
  before(function () {
    authority = createAuthority(this);
    certificate = authority.sign("localhost");
    files = new WrittenFiles({ ca: authority.cert });
  });
  after(() => authority?.remove());
  afterEach(cleanUp);

  async function start(onSocket: (socket: Socket) => void, isSecure: boolean) {
    const { cert, key } = certificate;
    const port = await listen(
      isSecure ? createTlsServer({ cert, key }, onSocket) : createServer({ noDelay: true }, onSocket),
    );
    const tls = {
      credential: { authoritiesFile: "ca" },
      serverName: "localhost",
      subjectAltNames: [],
      skipsVerification: false,
    };
    const cluster = clusterOf([endpointAt(port)], { protocol: "http1", ...(isSecure ? { tls } : {}) });
    return startProxy(configOf({ clusters: [cluster] }), { files });
  }

  for (const isSecure of [false, true]) {
    for (const [title, { body, answer }] of Object.entries(UPSTREAMS)) {
      const scheme = isSecure ? "over TLS" : "in plain text";
      it(`reaches the client when the upstream ${title}, ${scheme}`, async () => {
        for (let run = 0; run < RUNS; run++) {
          // From the first bytes to the middle of the upload.
          const rig = await start(answering(answer, 1 + run * 500_000), isSecure);
          const [status, received] = await upload(rig.port);
          assert.deepEqual([status, received.length], [413, body.length], `run ${run}`);
          const [status2, received2, code] = await uploadHttp2(rig.port);
          assert.deepEqual([status2, received2.length, code], [413, body.length, 0], `run ${run}, HTTP/2`);
          await until(() => rig.policy.reports.length === 2);
          for (const report of rig.policy.reports) assert.equal(groupOf([report], "response")["flags"], "-");
          await cleanUp();
        }
      });
    }
  }
});
