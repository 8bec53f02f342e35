// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { CheckOutcome } from "../../../core/traffic/health/active-health.ts";
import type { HealthProbe } from "../../../core/traffic/resources/health-check.ts";
import type { Cancel } from "../../../kernel/ports.ts";
import type { ClientStream, ClientStreamReceiver, TransportClient } from "../contract/client.ts";
import type { RequestHead, ResponseHead } from "../contract/head.ts";
import { HeaderList } from "../contract/header-list.ts";
import type { StreamReset } from "../contract/reset.ts";
import { encodeHealthRequest, isServing } from "./grpc-health-messages.ts";
import { type Probe, USER_AGENT } from "./probe.ts";

type GrpcSettings = Extract<HealthProbe, { readonly kind: "grpc" }>;

/** A HealthCheckResponse has 7 bytes; an answer that is longer than this is read no further. */
const MAX_ANSWER_BYTES = 1_024;

const CHECK_PATH = "/grpc.health.v1.Health/Check";

/** Checks by grpc.health.v1.Health/Check on a connection of HTTP/2, which is kept for the next check. */
export class GrpcProbe implements Probe {
  readonly #settings: GrpcSettings;
  readonly #newClient: () => TransportClient;
  readonly #request: Buffer;
  #client: TransportClient | undefined;

  /** @param newClient Makes a client of HTTP/2 to the endpoint, for this probe alone. */
  constructor(settings: GrpcSettings, newClient: () => TransportClient) {
    this.#settings = settings;
    this.#newClient = newClient;
    this.#request = encodeHealthRequest(settings.service);
  }

  check(onDone: (outcome: CheckOutcome) => void): Cancel {
    this.#client ??= this.#newClient();
    const check = new GrpcCheck(this.#settings.host, this.#request, this.#client, onDone);
    return () => {
      // An endpoint that did not answer in time may be gone: the next check connects anew.
      if (check.cancel()) this.close();
    };
  }

  close(): void {
    void this.#client?.destroy();
    this.#client = undefined;
  }
}

class GrpcCheck implements ClientStreamReceiver {
  readonly #host: string;
  readonly #request: Buffer;
  readonly #client: TransportClient;
  readonly #onDone: (outcome: CheckOutcome) => void;
  readonly #chunks: Uint8Array[] = [];
  #bytes = 0;
  #stream: ClientStream;
  #httpStatus = 0;
  #grpcStatus: string | undefined;
  #isRepeated = false;
  #isOver = false;

  constructor(
    host: string,
    request: Buffer,
    client: TransportClient,
    onDone: (outcome: CheckOutcome) => void,
  ) {
    this.#host = host;
    this.#request = request;
    this.#client = client;
    this.#onDone = onDone;
    this.#stream = this.#open();
  }

  /** Returns whether the check was under way. */
  cancel(): boolean {
    if (this.#isOver) return false;
    this.#isOver = true;
    this.#stream.reset();
    return true;
  }

  onInformational(): void {}

  onHead({ status, headers }: ResponseHead): void {
    this.#httpStatus = status;
    // A server that fails at once says so in the head.
    this.#grpcStatus = headers.get("grpc-status");
  }

  onData(chunk: Uint8Array): void {
    this.#bytes += chunk.byteLength;
    if (this.#bytes <= MAX_ANSWER_BYTES) {
      this.#chunks.push(chunk);
      return;
    }
    this.#stream.reset();
    this.#end("failure");
  }

  onWritable(): void {}

  onEnd(trailers: HeaderList | undefined): void {
    const status = this.#grpcStatus ?? trailers?.get("grpc-status");
    const isSuccess = this.#httpStatus === 200 && status === "0" && isServing(Buffer.concat(this.#chunks));
    this.#end(isSuccess ? "success" : "failure");
  }

  onReset({ reason, connectionReused }: StreamReset): void {
    if (reason === "connection-termination" && connectionReused && !this.#isRepeated) {
      // The endpoint may have closed the kept connection just as the request was sent on it.
      this.#isRepeated = true;
      this.#stream = this.#open();
      return;
    }
    this.#end("network_failure");
  }

  #open(): ClientStream {
    return this.#client.open(headOf(this.#host), this, this.#request);
  }

  #end(outcome: CheckOutcome): void {
    this.#isOver = true;
    this.#onDone(outcome);
  }
}

function headOf(host: string): RequestHead {
  const headers = new HeaderList();
  headers.set("host", host);
  headers.set("content-type", "application/grpc");
  headers.set("te", "trailers");
  headers.set("user-agent", USER_AGENT);
  return {
    method: "POST",
    target: CHECK_PATH,
    headers,
    httpVersion: "2",
    hasBody: true,
    contentLength: undefined,
    upgrade: undefined,
  };
}
