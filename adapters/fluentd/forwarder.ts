// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { type AbortSignalLike, PurserError, type Scheduler, within } from "../../plugins/sdk/index.ts";
import type { Chunk, PreparedBatch } from "./chunks.ts";
import type { Codec } from "./codec.ts";
import { Connection, type Target } from "./connection.ts";

const LATE = "the server did not take the batch in time";

/** Sends batches over one connection, which is made when it is first needed and again after it ended. */
export class Forwarder {
  readonly #target: () => Target;
  readonly #scheduler: Scheduler;
  readonly #prepared = new WeakMap<object, Promise<PreparedBatch>>();
  #connection: Connection | undefined;
  #closed = false;
  #healthy = true;

  /** @param target Returns the target of the next connection; throws a PurserError when there is none yet. */
  constructor(target: () => Target, scheduler: Scheduler) {
    this.#target = target;
    this.#scheduler = scheduler;
  }

  /** Whether the last batch arrived. */
  get healthy(): boolean {
    return this.#healthy;
  }

  /**
   * @param batch Identity of the batch: the host passes the same object when it retries, and its chunks keep their ids then; those that
   *   arrived are not sent again.
   */
  async send(
    batch: object,
    codec: Codec,
    prepare: () => Promise<PreparedBatch>,
    signal: AbortSignalLike,
  ): Promise<PreparedBatch> {
    let preparing = this.#prepared.get(batch);
    if (preparing === undefined) this.#prepared.set(batch, (preparing = prepare()));
    const prepared = await within(preparing, signal, LATE);
    try {
      await this.#sendAll(
        prepared.chunks.filter((chunk) => !chunk.arrived),
        codec,
        signal,
      );
      this.#healthy = true;
    } catch (error) {
      this.#healthy = false;
      throw error;
    }
    return prepared;
  }

  close(): void {
    this.#closed = true;
    this.#connection?.fail(closedError());
  }

  async #sendAll(chunks: readonly Chunk[], codec: Codec, signal: AbortSignalLike): Promise<void> {
    if (this.#closed) throw closedError();
    if (chunks.length === 0) return;
    if (this.#connection?.usable !== true)
      this.#connection = new Connection(this.#target(), codec, this.#scheduler);
    const connection = this.#connection;
    // A server that is late has stopped reading or acknowledging: the retry takes a new connection. One that is being made has a time
    // limit of its own.
    const onAbort = (): void => {
      if (connection.ready) connection.fail(new PurserError("PURSER_HANDLER_TIMEOUT", LATE));
    };
    signal.addEventListener("abort", onAbort);
    try {
      const sent = chunks.map(async (chunk) => {
        if (await connection.deliver(chunk, signal)) chunk.arrived = true;
      });
      await within(Promise.all(sent), signal, LATE);
    } finally {
      signal.removeEventListener("abort", onAbort);
    }
  }
}

function closedError(): PurserError {
  return new PurserError("PURSER_HANDLER_FAILED", "the handler is closed", { retryable: false });
}
