// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Writable } from "node:stream";
import {
  type AbortSignalLike,
  type CallContext,
  type MaybePromise,
  messageOf,
  PurserError,
} from "../../plugins/sdk/index.ts";

export interface LineWriter {
  /** Whether the stream still takes lines. */
  readonly healthy: boolean;
  /**
   * Writes a batch of lines, with back-pressure: while the stream is full, waits for its drain event or the
   * signal. So this process holds the stream's own buffer and one batch, and the host's bounded queue, which
   * counts drops, holds the rest. A batch is written whole or not at all, so that a retry never writes a line
   * twice.
   *
   * @throws PurserError PURSER_HANDLER_TIMEOUT, retryable, when the signal aborts first;
   *   PURSER_HANDLER_FAILED, not retryable, when the stream broke or the writer is closed.
   */
  write(lines: readonly string[], call: CallContext): MaybePromise<void>;
  /** Ends every wait. The stream belongs to the process and stays open. */
  close(): void;
}

export function createLineWriter(stream: Writable): LineWriter {
  const gate = gateOf(stream);
  const waiting = new Set<() => void>();
  let closed: PurserError | undefined;

  const write = (lines: readonly string[], call: CallContext): MaybePromise<void> => {
    const failure = closed ?? gate.failure;
    if (failure !== undefined) throw failure;
    if (lines.length === 0) return;
    // A signal is made when it is first looked at, which takes some 30 µs: only a wait needs it.
    if (stream.writableNeedDrain) return writeLater(lines, call);
    stream.write(`${lines.join("\n")}\n`);
  };

  const writeLater = async (lines: readonly string[], { signal }: CallContext): Promise<void> => {
    // The first writer to wake may fill the stream again, so each one checks anew.
    do {
      if (signal.aborted)
        throw new PurserError("PURSER_HANDLER_TIMEOUT", "the output stream did not catch up in time");
      await wait(signal);
      const failure = closed ?? gate.failure;
      if (failure !== undefined) throw failure;
    } while (signal.aborted || stream.writableNeedDrain);
    stream.write(`${lines.join("\n")}\n`);
  };

  const wait = (signal: AbortSignalLike): Promise<void> =>
    new Promise((resolve) => {
      const wake = (): void => {
        gate.waiting.delete(wake);
        waiting.delete(wake);
        signal.removeEventListener("abort", wake);
        resolve();
      };
      gate.waiting.add(wake);
      waiting.add(wake);
      signal.addEventListener("abort", wake);
    });

  return {
    get healthy() {
      return gate.failure === undefined;
    },
    write,
    close() {
      closed ??= new PurserError("PURSER_HANDLER_FAILED", "the handler is closed", { retryable: false });
      for (const wake of waiting) wake();
    },
  };
}

/** State that all writers of a stream share. */
interface Gate {
  /** Set for good when the stream broke. */
  failure: PurserError | undefined;
  readonly waiting: Set<() => void>;
}

/**
 * One gate for each stream, not for each handler: a process has two output streams and any number of
 * handlers. The error listener must outlive the handlers: without it a closed reader (EPIPE) would end the
 * process.
 */
const gates = new WeakMap<Writable, Gate>();

function gateOf(stream: Writable): Gate {
  const existing = gates.get(stream);
  if (existing !== undefined) return existing;
  const gate: Gate = { failure: undefined, waiting: new Set() };
  const wakeAll = (): void => {
    for (const wake of gate.waiting) wake();
  };
  stream.on("drain", wakeAll);
  stream.on("error", (error) => {
    gate.failure = new PurserError("PURSER_HANDLER_FAILED", messageOf(error), {
      cause: error,
      retryable: false,
    });
    wakeAll();
  });
  gates.set(stream, gate);
  return gate;
}
