// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { AbortSignalLike } from "../../../kernel/deadline.ts";
import { messageOf, PurserError } from "../../../kernel/errors.ts";
import { within } from "../within.ts";
import { isPermanent } from "./file-errors.ts";

/** Destination of texts; one append at a time. */
export interface Appender {
  append(text: string): Promise<void>;
  close(): Promise<void>;
}

const LATE = "the file did not take the batch in time";

/**
 * Appends batches, each with a deadline. At most one append is under way: other batches wait for it, and the
 * host's bounded queue, which counts drops, holds the rest. An append continues after its batch's deadline: a
 * retry of that batch waits for it instead of writing the batch twice.
 */
export class BatchWriter {
  readonly #appender: Appender;
  #underWay: { readonly batch: object; readonly done: Promise<void> } | undefined;
  /** Batches that were written after their caller had given up. */
  readonly #written = new WeakSet<object>();
  #closed = false;
  #healthy = true;

  constructor(appender: Appender) {
    this.#appender = appender;
  }

  /** Whether the last append succeeded. */
  get healthy(): boolean {
    return this.#healthy;
  }

  /**
   * @param batch Identity of the batch: the host passes the same object when it retries.
   * @throws PurserError PURSER_HANDLER_TIMEOUT, retryable, when the signal aborts first; PURSER_HANDLER_FAILED when the append
   *   fails, retryable unless no repetition helps (see `isPermanent`), or permanent when the writer is closed.
   */
  async write(batch: object, text: () => string, signal: AbortSignalLike): Promise<void> {
    this.#assertOpen();
    if (signal.aborted) throw new PurserError("PURSER_HANDLER_TIMEOUT", LATE);
    while (this.#underWay !== undefined && this.#underWay.batch !== batch) {
      await within(settled(this.#underWay.done), signal, LATE);
      this.#assertOpen();
    }
    if (this.#written.has(batch)) return;
    this.#underWay ??= this.#begin(batch, text());
    await within(this.#underWay.done, signal, LATE);
  }

  /** Waits for the append under way, then closes the file. */
  async close(): Promise<void> {
    this.#closed = true;
    if (this.#underWay !== undefined) await settled(this.#underWay.done);
    await this.#appender.close();
  }

  #assertOpen(): void {
    if (!this.#closed) return;
    throw new PurserError("PURSER_HANDLER_FAILED", "the handler is closed", { retryable: false });
  }

  #begin(batch: object, text: string): { readonly batch: object; readonly done: Promise<void> } {
    // Start after #underWay is set: the append clears it when it ends.
    return { batch, done: Promise.resolve().then(() => this.#append(batch, text)) };
  }

  async #append(batch: object, text: string): Promise<void> {
    try {
      if (text !== "") await this.#appender.append(text);
      this.#healthy = true;
      this.#written.add(batch);
    } catch (cause) {
      this.#healthy = false;
      const retryable = !isPermanent(cause);
      throw new PurserError("PURSER_HANDLER_FAILED", messageOf(cause), { cause, retryable });
    } finally {
      this.#underWay = undefined;
    }
  }
}

function settled(work: Promise<unknown>): Promise<void> {
  return work.then(
    () => {},
    () => {},
  );
}
