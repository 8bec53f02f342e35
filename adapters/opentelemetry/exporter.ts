// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { type CallContext, type Logger, messageOf } from "../../plugins/sdk/index.ts";
import { type Protocol, type Signal } from "./config.ts";
import { type Codec, type Codecs, loadCodecs, type PartialSuccess, type Payloads } from "./otlp.ts";
import { type Sender, timedOut } from "./sender.ts";

const ACCEPTED: PartialSuccess = { rejected: 0, message: "" };

/** Encodes and sends telemetry of every signal. */
export class Exporter {
  readonly #protocol: Protocol;
  readonly #sender: Sender;
  readonly #logger: Logger;
  #codecs: Promise<Codecs> | undefined;
  /** The last warning of a receiver that accepted everything, so that each is logged once. */
  #lastWarning = "";
  #isHealthy = true;

  constructor(protocol: Protocol, sender: Sender, logger: Logger) {
    this.#protocol = protocol;
    this.#sender = sender;
    this.#logger = logger;
  }

  /** Whether the last request arrived; true before the first. */
  get isHealthy(): boolean {
    return this.#isHealthy;
  }

  /**
   * @returns The number of instances that the receiver rejected, with its message.
   * @throws PurserError as a report function rejects.
   */
  async send<S extends Signal>(signal: S, payload: Payloads[S], call: CallContext): Promise<PartialSuccess> {
    // Before the serializers are loaded, which takes longer than a call that is already late should.
    if (call.signal.aborted) throw timedOut("the receiver");
    const codec: Codec<S> = (await (this.#codecs ??= loadCodecs(this.#protocol)))[signal];
    try {
      const response = await this.#sender.send(signal, codec.encode(payload), call);
      this.#isHealthy = true;
      return this.#partialSuccessOf(signal, codec, response);
    } catch (error) {
      this.#isHealthy = false;
      throw error;
    }
  }

  close(): void {
    this.#sender.close();
  }

  #partialSuccessOf<S extends Signal>(signal: S, codec: Codec<S>, response: Uint8Array): PartialSuccess {
    try {
      const partial = codec.decode(response);
      // The specification lets a receiver warn this way.
      if (partial.rejected === 0 && partial.message !== "") this.#warnOnce(signal, partial.message);
      return partial;
    } catch (error) {
      // The status says that the request was accepted.
      this.#warnOnce(signal, `its response cannot be decoded: ${messageOf(error)}`);
      return ACCEPTED;
    }
  }

  #warnOnce(signal: Signal, warning: string): void {
    if (warning === this.#lastWarning) return;
    this.#lastWarning = warning;
    this.#logger.warn("the receiver accepted telemetry with a warning", { signal, warning });
  }
}
