// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { CheckOutcome } from "../../../core/traffic/health/active-health.ts";
import type { HealthProbe } from "../../../core/traffic/resources/health-check.ts";
import type { Cancel } from "../../../kernel/ports.ts";
import type { ClientStream, ClientStreamReceiver, TransportClient } from "../contract/client.ts";
import type { ResponseHead } from "../contract/head.ts";
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
  readonly #host: string;
  readonly #body: Uint8Array;
  readonly #newClient: () => TransportClient;
  #client: TransportClient;

  /** @param newClient Makes a client of HTTP/2 for this probe alone. */
  constructor({ host, service }: GrpcSettings, newClient: () => TransportClient) {
    this.#host = host;
    this.#body = encodeHealthRequest(service);
    this.#newClient = newClient;
    this.#client = newClient();
  }

  check(onDone: (outcome: CheckOutcome) => void): Cancel {
    const check = new GrpcCheck(this.#host, this.#body, this.#client, onDone);
    return () => {
      if (check.isOver) return;
      check.cancel();
      // An endpoint that did not answer in time may be gone: the next check connects anew.
      const old = this.#client;
      this.#client = this.#newClient();
      void old.destroy();
    };
  }

  close(): void {
    void this.#client.destroy();
  }
}

class GrpcCheck implements ClientStreamReceiver {
  readonly #host: string;
  readonly #body: Uint8Array;
  readonly #client: TransportClient;
  readonly #onDone: (outcome: CheckOutcome) => void;
  readonly #chunks: Uint8Array[] = [];
  #stream: ClientStream;
  #bytes = 0;
  #status: number | undefined;
  #grpcStatus: string | undefined;
  #isRepeated = false;
  isOver = false;

  constructor(
    host: string,
    body: Uint8Array,
    client: TransportClient,
    onDone: (outcome: CheckOutcome) => void,
  ) {
    this.#host = host;
    this.#body = body;
    this.#client = client;
    this.#onDone = onDone;
    this.#stream = this.#open();
  }

  cancel(): void {
    this.isOver = true;
    this.#stream.reset();
  }

  onInformational(): void {}

  onWritable(): void {}

  onHead({ status, headers }: ResponseHead): void {
    this.#status = status;
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

  onEnd(trailers: HeaderList | undefined): void {
    const grpcStatus = this.#grpcStatus ?? trailers?.get("grpc-status");
    const isSuccess = this.#status === 200 && grpcStatus === "0" && isServing(Buffer.concat(this.#chunks));
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

  #end(outcome: CheckOutcome): void {
    this.isOver = true;
    this.#onDone(outcome);
  }

  #open(): ClientStream {
    const headers = new HeaderList();
    headers.set("host", this.#host);
    headers.set("content-type", "application/grpc");
    headers.set("te", "trailers");
    headers.set("user-agent", USER_AGENT);
    const head = {
      method: "POST",
      target: CHECK_PATH,
      headers,
      httpVersion: "2",
      hasBody: true,
      contentLength: this.#body.byteLength,
      upgrade: undefined,
    };
    return this.#client.open(head, this, this.#body);
  }
}
