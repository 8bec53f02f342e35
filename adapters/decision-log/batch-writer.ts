// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { type AbortSignalLike, messageOf, PurserError } from "../../plugins/sdk/index.ts";

/** Where texts go, one append at a time. */
export interface Appender {
  append(text: string): Promise<void>;
  close(): Promise<void>;
}

/**
 * Appends batches with a deadline for each. One append is under way at most: while it is, other batches wait, and the
 * host's queue, which is bounded and counts what it drops, holds the rest. A batch whose deadline passes while it is being
 * written goes on: trying it again waits for that write instead of writing it twice.
 */
export class BatchWriter {
  readonly #appender: Appender;
  #underWay: { readonly batch: object; readonly done: Promise<void> } | undefined;
  /** Batches that were written after their caller had gone. */
  readonly #written = new WeakSet<object>();
  #closed = false;
  #healthy = true;

  constructor(appender: Appender) {
    this.#appender = appender;
  }

  /** Whether the last append went well. */
  get healthy(): boolean {
    return this.#healthy;
  }

  /**
   * @param batch What the text is of; the same object when the host tries again.
   * @throws PurserError PURSER_HANDLER_TIMEOUT when the signal aborts first, PURSER_HANDLER_FAILED when the file does not
   * take it: both may be tried again; only a closed writer is final.
   */
  async write(batch: object, text: () => string, signal: AbortSignalLike): Promise<void> {
    this.#assertOpen();
    if (signal.aborted) throw timeout();
    while (this.#underWay !== undefined && this.#underWay.batch !== batch) {
      await within(settled(this.#underWay.done), signal);
      this.#assertOpen();
    }
    if (this.#written.has(batch)) return;
    this.#underWay ??= this.#begin(batch, text());
    await within(this.#underWay.done, signal);
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
    // Not before it is known as the one under way: it ends that itself.
    return { batch, done: Promise.resolve().then(() => this.#append(batch, text)) };
  }

  async #append(batch: object, text: string): Promise<void> {
    try {
      if (text !== "") await this.#appender.append(text);
      this.#healthy = true;
      this.#written.add(batch);
    } catch (cause) {
      this.#healthy = false;
      throw new PurserError("PURSER_HANDLER_FAILED", messageOf(cause), { cause, retryable: true });
    } finally {
      this.#underWay = undefined;
    }
  }
}

function timeout(): PurserError {
  return new PurserError("PURSER_HANDLER_TIMEOUT", "the file did not take the batch in time");
}

function settled(work: Promise<unknown>): Promise<void> {
  return work.then(
    () => {},
    () => {},
  );
}

/** The work's outcome, or a timeout when the signal aborts first; the work goes on then. */
function within<T>(work: Promise<T>, signal: AbortSignalLike): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(timeout());
    if (signal.aborted) onAbort();
    signal.addEventListener("abort", onAbort);
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
  });
}
