// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type * as grpc from "@grpc/grpc-js";
import { type CallContext, PurserError } from "../../plugins/sdk/index.ts";
import { type Config, type Signal, urlOf } from "./config.ts";
import { grpcFault } from "./grpc-failure.ts";
import { GrpcSockets } from "./grpc-sockets.ts";
import { type Sender, timedOut } from "./sender.ts";

/** The unary methods of the three services (opentelemetry-proto, collector/). */
const METHODS: Readonly<Record<Signal, string>> = {
  traces: "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
  metrics: "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
  logs: "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
};

/** Value of the channel option for gzip (grpc's compression algorithms). */
const GZIP = 2;

/** Longest pause before a lost connection is opened again, in milliseconds. The host's breaker opens for 5 s. */
const MAX_RECONNECT_MS = 5_000;

type Unary = ReturnType<grpc.Client["makeUnaryRequest"]>;

/** OTLP over gRPC. One connection for each host and port. */
export class GrpcSender implements Sender {
  readonly #config: Config;
  readonly #clients = new Map<string, grpc.Client>();
  readonly #calls = new Set<Unary>();
  readonly #sockets = new GrpcSockets();
  #closed = false;

  constructor(config: Config) {
    this.#config = config;
  }

  async send(signal: Signal, request: Uint8Array, { signal: abort }: CallContext): Promise<Uint8Array> {
    // Loaded here: loading it takes some 100 ms, which only processes with such a handler should spend.
    const library = await import("@grpc/grpc-js");
    const url = new URL(urlOf(this.#config, signal));
    if (abort.aborted) throw timedOut(url.origin);
    if (this.#closed) throw closed();
    const client = this.#clientFor(url, library);
    const metadata = new library.Metadata();
    for (const [name, value] of Object.entries(this.#config.headers)) metadata.set(name, value);
    return await new Promise((resolve, reject) => {
      const end = (error: grpc.ServiceError | null, response?: Uint8Array): void => {
        abort.removeEventListener("abort", cancel);
        this.#calls.delete(call);
        if (error === null) resolve(response ?? new Uint8Array());
        else reject(this.#closed ? closed() : abort.aborted ? timedOut(url.origin) : faultOf(error));
      };
      const bytes = Buffer.from(request.buffer, request.byteOffset, request.byteLength);
      const call = client.makeUnaryRequest(METHODS[signal], asIs, asIs, bytes, metadata, end);
      const cancel = (): void => call.cancel();
      this.#calls.add(call);
      abort.addEventListener("abort", cancel);
    });
  }

  close(): void {
    this.#closed = true;
    for (const call of this.#calls) call.cancel();
    for (const client of this.#clients.values()) client.close();
    this.#clients.clear();
    this.#sockets.destroy();
  }

  #clientFor({ protocol, host, origin }: URL, library: typeof grpc): grpc.Client {
    const known = this.#clients.get(origin);
    if (known !== undefined) return known;
    const isTls = protocol === "https:";
    const { createInsecure, createSsl } = library.credentials;
    const credentials = isTls ? createSsl() : createInsecure();
    // A URL leaves out the scheme's usual port.
    const target = /:\d+$/.test(host) ? host : `${host}:${isTls ? 443 : 80}`;
    const client = new library.Client(`dns:${target}`, this.#sockets.tracking(credentials), {
      "grpc.primary_user_agent": "purser",
      "grpc.enable_http_proxy": 0,
      // Two handlers share no connection, so that each may be closed.
      "grpc.use_local_subchannel_pool": 1,
      // The host retries.
      "grpc.enable_retries": 0,
      "grpc.initial_reconnect_backoff_ms": 100,
      "grpc.max_reconnect_backoff_ms": MAX_RECONNECT_MS,
      ...(this.#config.compression === "gzip" ? { "grpc.default_compression_algorithm": GZIP } : {}),
    });
    this.#clients.set(origin, client);
    return client;
  }
}

/** The serializers have encoded the message already. */
function asIs(bytes: Buffer): Buffer {
  return bytes;
}

function faultOf({ code, details, metadata }: grpc.ServiceError): PurserError {
  const [statusDetails] = metadata?.get("grpc-status-details-bin") ?? [];
  return grpcFault({
    code,
    details,
    statusDetails: Buffer.isBuffer(statusDetails) ? statusDetails : undefined,
  });
}

function closed(): PurserError {
  return new PurserError("PURSER_HANDLER_FAILED", "the handler is closed", { retryable: false });
}
