// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { CheckOutcome } from "../../../core/traffic/health/active-health.ts";
import type { HealthProbe } from "../../../core/traffic/resources/health-check.ts";
import { headerBytesOf } from "../../../kernel/canonical/header-text.ts";
import type { Cancel } from "../../../kernel/ports.ts";
import type { ClientStream, ClientStreamReceiver, TransportClient } from "../contract/client.ts";
import type { RequestHead, ResponseHead } from "../contract/head.ts";
import { HeaderList } from "../contract/header-list.ts";
import type { StreamReset } from "../contract/reset.ts";
import { type Probe, USER_AGENT } from "./probe.ts";

type HttpSettings = Extract<HealthProbe, { readonly kind: "http" }>;

/** Checks by an HTTP request, on a connection that is kept for the next check if the endpoint keeps it. */
export class HttpProbe implements Probe {
  readonly #settings: HttpSettings;
  readonly #client: TransportClient;

  /** @param client Used by this probe alone. */
  constructor(settings: HttpSettings, client: TransportClient) {
    this.#settings = settings;
    this.#client = client;
  }

  check(onDone: (outcome: CheckOutcome) => void): Cancel {
    const check = new HttpCheck(this.#settings, this.#client, onDone);
    return () => check.cancel();
  }

  close(): void {
    void this.#client.destroy();
  }
}

class HttpCheck implements ClientStreamReceiver {
  readonly #settings: HttpSettings;
  readonly #client: TransportClient;
  readonly #onDone: (outcome: CheckOutcome) => void;
  #stream: ClientStream;
  #isRepeated = false;

  constructor(settings: HttpSettings, client: TransportClient, onDone: (outcome: CheckOutcome) => void) {
    this.#settings = settings;
    this.#client = client;
    this.#onDone = onDone;
    this.#stream = client.open(headOf(settings), this);
  }

  cancel(): void {
    this.#stream.reset();
  }

  onInformational(): void {}

  onHead({ status }: ResponseHead): void {
    if (this.#settings.expectedStatuses.some(({ start, end }) => start <= status && status < end)) return;
    // The answer says enough: a long error page need not be read.
    this.#stream.reset();
    this.#onDone("failure");
  }

  /** The body does not matter; the deadline of the check bounds its length. */
  onData(): void {}

  onWritable(): void {}

  /** A response that does not end in time is no success. */
  onEnd(): void {
    this.#onDone("success");
  }

  onReset({ reason, connectionReused }: StreamReset): void {
    if (reason === "connection-termination" && connectionReused && !this.#isRepeated) {
      // The endpoint may have closed the kept connection just as the request was sent on it.
      this.#isRepeated = true;
      this.#stream = this.#client.open(headOf(this.#settings), this);
      return;
    }
    this.#onDone("network_failure");
  }
}

function headOf({ method, path, host, headers }: HttpSettings): RequestHead {
  const list = new HeaderList();
  list.set("host", host);
  list.set("user-agent", USER_AGENT);
  for (const [name, value] of Object.entries(headers)) list.set(name.toLowerCase(), headerBytesOf(value));
  return {
    method,
    target: path,
    headers: list,
    httpVersion: "1.1",
    hasBody: false,
    contentLength: undefined,
    upgrade: undefined,
  };
}
