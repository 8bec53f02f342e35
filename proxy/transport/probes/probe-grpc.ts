// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { ClientHttp2Session, ClientHttp2Stream } from "node:http2";
import { connect } from "node:net";

import type { CheckOutcome } from "../../../core/traffic/health/active-health.ts";
import type { HealthProbe } from "../../../core/traffic/resources/health-check.ts";
import type { Cancel } from "../../../kernel/ports.ts";
import type { ClientSettings } from "../contract/client.ts";
import { TlsConnector } from "../tls/client/tls-connector.ts";
import { encodeHealthRequest, isServing } from "./grpc-health-messages.ts";
import { type Probe, USER_AGENT } from "./probe.ts";

type GrpcSettings = Extract<HealthProbe, { readonly kind: "grpc" }>;

type ConnectionSettings = Pick<ClientSettings, "host" | "port" | "tls" | "credentials" | "mesh">;

/** A HealthCheckResponse has 7 bytes; an answer that is longer than this is read no further. */
const MAX_ANSWER_BYTES = 1_024;

const CHECK_PATH = "/grpc.health.v1.Health/Check";

/** Checks by grpc.health.v1.Health/Check on a connection of HTTP/2, which is kept for the next check; with TLS like the requests'. */
export class GrpcProbe implements Probe {
  readonly #settings: GrpcSettings;
  readonly #address: { readonly host: string; readonly port: number };
  readonly #connector: TlsConnector | undefined;
  readonly #request: Buffer;
  #session: ClientHttp2Session | undefined;
  #isClosed = false;

  constructor(settings: GrpcSettings, client: ConnectionSettings) {
    const { host, port, tls } = client;
    this.#connector = tls === undefined ? undefined : new TlsConnector(tls, client, "h2");
    this.#settings = settings;
    this.#address = { host, port };
    this.#request = encodeHealthRequest(settings.service);
  }

  check(onDone: (outcome: CheckOutcome) => void): Cancel {
    let isOver = false;
    let stream: ClientHttp2Stream | undefined;
    const end = (outcome: CheckOutcome): void => {
      if (isOver) return;
      isOver = true;
      onDone(outcome);
    };
    this.#open().then(
      (opened) => {
        opened.on("error", () => {});
        if (isOver) {
          opened.destroy();
          return;
        }
        stream = opened;
        read(opened, end);
        opened.end(this.#request);
      },
      () => end("network_failure"),
    );
    return () => {
      if (isOver) return;
      isOver = true;
      stream?.destroy();
      // An endpoint that did not answer in time may be gone: the next check connects anew.
      this.#disconnect();
    };
  }

  close(): void {
    this.#isClosed = true;
    this.#connector?.close();
    this.#disconnect();
  }

  #disconnect(): void {
    this.#session?.destroy();
    this.#session = undefined;
  }

  async #open(): Promise<ClientHttp2Stream> {
    const session = await this.#openSession();
    return session.request({
      ":method": "POST",
      ":path": CHECK_PATH,
      ":authority": this.#settings.host,
      "content-type": "application/grpc",
      te: "trailers",
      "user-agent": USER_AGENT,
    });
  }

  /** The module is loaded by the first check: most proxies make none of this kind. */
  async #openSession(): Promise<ClientHttp2Session> {
    const http2 = await import("node:http2");
    if (this.#isClosed) throw new Error("the probe is closed");
    const known = this.#session;
    if (known !== undefined && !known.closed && !known.destroyed) return known;
    const session = http2.connect("http://localhost", {
      createConnection: () => this.#connector?.connect(this.#address, 0) ?? connect(this.#address),
      settings: { enablePush: false },
    });
    // The stream under way has the error too; without a listener it would end the process.
    session.on("error", () => {});
    this.#session = session;
    return session;
  }
}

/** Reads the answer and calls `end` with its outcome. Calls after the first must do nothing. */
function read(stream: ClientHttp2Stream, end: (outcome: CheckOutcome) => void): void {
  const chunks: Buffer[] = [];
  let bytes = 0;
  let httpStatus: number | undefined;
  let grpcStatus: unknown;
  stream.on("response", (headers) => {
    httpStatus = headers[":status"];
    grpcStatus = headers["grpc-status"];
  });
  stream.on("data", (chunk: Buffer) => {
    bytes += chunk.byteLength;
    if (bytes <= MAX_ANSWER_BYTES) chunks.push(chunk);
    else {
      end("failure");
      stream.destroy();
    }
  });
  stream.on("trailers", (trailers) => {
    grpcStatus ??= trailers["grpc-status"];
  });
  stream.on("error", () => end("network_failure"));
  // The last event of every stream, the end of the answer and its trailers before it.
  stream.on("close", () => {
    if (httpStatus === undefined || stream.rstCode !== 0) return end("network_failure");
    const isSuccess = httpStatus === 200 && grpcStatus === "0" && isServing(Buffer.concat(chunks));
    end(isSuccess ? "success" : "failure");
  });
}
