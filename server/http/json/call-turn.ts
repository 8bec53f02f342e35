// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/** A call on its way through the stages of a turn. No stage throws. */
export interface StagedCall {
  /** Parses and decides. The call lists itself for its reply when it knows the reply, at once or later. */
  decide(): void;
  /** Encodes the reply. */
  encode(): void;
  /** Writes the reply. */
  write(): void;
}

/**
 * The calls of one turn of the event loop, done stage by stage: decide all, encode all, write all. Node.js calls back for
 * each socket that has bytes. A call that ran from that callback to its own write would pull the decision, JSON.stringify,
 * node:http and the kernel's sending side through the processor's caches, for each call anew. With 64 connections, the
 * stages save half of the CPU time of a check (measured).
 *
 * The stages run in the check phase, which follows the phase in which libuv reads: a call waits for the other sockets
 * that are ready, and for nothing else.
 */
export class CallTurn {
  #received: StagedCall[] = [];
  #known: StagedCall[] = [];
  #isScheduled = false;

  /** Lists a call whose body has arrived. */
  decideInTurn(call: StagedCall): void {
    this.#received.push(call);
    this.#schedule();
  }

  /** Lists a call whose reply is known. */
  replyInTurn(call: StagedCall): void {
    this.#known.push(call);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => this.#run());
  }

  #run(): void {
    try {
      const received = this.#received;
      this.#received = [];
      for (const call of received) call.decide();
      const known = this.#known;
      this.#known = [];
      for (const call of known) call.encode();
      for (const call of known) call.write();
    } finally {
      this.#isScheduled = false;
      if (this.#received.length > 0 || this.#known.length > 0) this.#schedule();
    }
  }
}
