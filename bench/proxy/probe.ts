// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { connect as connectHttp2 } from "node:http2";
import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { frame, GRPC_FIELDS } from "./load/grpc.ts";

/** Asks a loopback port once whether it answers, within `DEADLINE_MS`. */
export type Probe = (port: number) => Promise<boolean>;

const DEADLINE_MS = 2_000;
const HOST = "127.0.0.1";

/** Whether the port answers GET over HTTP/1.1 with 200. */
export const answersHttp =
  (path = "/100"): Probe =>
  (port) =>
    ask(connect({ port, host: HOST }), "connect", path);

/** Whether the port answers GET over HTTP/1.1 and TLS with 200. */
export const answersHttps: Probe = (port) =>
  ask(connectTls({ port, host: HOST, rejectUnauthorized: false }), "secureConnect", "/100");

/** Whether the port answers a unary gRPC call over HTTP/2 without TLS with the status OK. */
export const answersGrpc: Probe = (port) =>
  new Promise((resolve) => {
    const session = connectHttp2(`http://${HOST}:${port}`);
    const end = (answer: boolean): void => {
      session.destroy();
      resolve(answer);
    };
    session.on("error", () => end(false));
    session.setTimeout(DEADLINE_MS, () => end(false));
    const call = session.request({ ":method": "POST", ":path": "/bench.Echo/Call", ...GRPC_FIELDS });
    call.on("error", () => end(false));
    call.on("trailers", (trailers) => end(trailers["grpc-status"] === "0"));
    call.on("close", () => end(false));
    call.resume().end(frame());
  });

function ask(socket: Socket, connected: string, path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const end = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.once(connected, () =>
      socket.write(`GET ${path} HTTP/1.1\r\nHost: bench\r\nx-user: user-1\r\n\r\n`),
    );
    socket.once("data", (chunk) => end(chunk.toString("latin1").startsWith("HTTP/1.1 200")));
    socket.once("error", () => end(false));
    socket.once("close", () => resolve(false));
    socket.setTimeout(DEADLINE_MS, () => end(false));
  });
}
