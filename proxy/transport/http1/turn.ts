// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/**
 * The work of one turn of the event loop, done stage by stage for all connections instead of connection by connection:
 * read the responses, read the requests, write, end what was written. Node calls back for each socket that has bytes;
 * a request that ran from that call to its own write would pull the whole proxy, Node's streams and the kernel's sending
 * side through the processor's caches, for each request anew. Done in stages, each stage's code stays there for all of
 * the turn's requests: with 64 connections that saves two fifths of the time of a request, of the kernel's part too. The
 * design is that of vector packet processing (fd.io VPP).
 *
 * The stages run in the check phase, which follows the phase in which libuv reads: nothing waits longer than for the
 * other sockets that are ready.
 */

/** A connection with bytes that have arrived and are not yet read. */
export interface ArrivalReader {
  /** Reads what has arrived. Does nothing when it was read already. */
  readArrived(): void;
}

/** A writer that holds text. */
export interface TurnWriter {
  flush(): void;
}

/** A connection whose response is written, but for the bytes that the socket has not taken. */
export interface Finisher {
  finishWritten(): void;
}

/**
 * A longer chunk is read when it arrives: libuv goes on reading a socket that fills its buffer, and a body would be held
 * in memory without back-pressure.
 */
export const MAX_DEFERRED_BYTES = 16 * 1024;

class Stage<T> {
  #waiting: T[] = [];
  #spare: T[] = [];

  get isEmpty(): boolean {
    return this.#waiting.length === 0;
  }

  add(one: T): void {
    this.#waiting.push(one);
  }

  /** Runs the stage for all that are listed now; those that are listed meanwhile wait for the next run. */
  run(each: (one: T) => void): void {
    const list = this.#waiting;
    if (list.length === 0) return;
    this.#waiting = this.#spare;
    let index = 0;
    try {
      while (index < list.length) each(list[index++] as T);
    } finally {
      // One connection's error does not hang the others: they are served in the next turn.
      if (index < list.length) this.#waiting = list.slice(index).concat(this.#waiting);
      list.length = 0;
      this.#spare = list;
    }
  }
}

const responses = new Stage<ArrivalReader>();
const requests = new Stage<ArrivalReader>();
const writers = new Stage<TurnWriter>();
const finishers = new Stage<Finisher>();
let isScheduled = false;
let isRunning = false;
let turns = 0;

/** Responses are read before requests: so the requests find the connections that the responses leave. */
export function readResponseInTurn(reader: ArrivalReader): void {
  responses.add(reader);
  schedule();
}

export function readRequestInTurn(reader: ArrivalReader): void {
  requests.add(reader);
  schedule();
}

export function flushInTurn(writer: TurnWriter): void {
  writers.add(writer);
  schedule();
}

/** Called after the flush. */
export function finishInTurn(finisher: Finisher): void {
  finishers.add(finisher);
  schedule();
}

/**
 * Number of the last phase of reads after which a turn ran, or of the one that is under way. A socket may be read at the
 * beginning or at the end of a phase: only a later phase has read it for certain.
 */
export function readsNow(): number {
  return isRunning ? turns : turns + 1;
}

/**
 * Whether all sockets that were ready have been read in a phase after the given one. With the libuv of Node 24, a reset
 * that came with bytes is read in the phase after theirs, as the end of a connection always was.
 */
export function wereReadsAfter(reads: number): boolean {
  return turns > reads;
}

/** Calls back in the check phase after the next phase of reads that is not yet under way. */
export function afterNextReads(callBack: () => void): void {
  if (isRunning) setImmediate(callBack);
  else setImmediate(() => setImmediate(callBack));
}

function schedule(): void {
  if (isScheduled) return;
  isScheduled = true;
  setImmediate(runTurn);
}

function runTurn(): void {
  // Work that the last stages begin, such as the next request of a client that pipelines, waits for the next turn: no
  // client keeps the others waiting.
  isScheduled = true;
  isRunning = true;
  turns++;
  try {
    responses.run(readArrived);
    requests.run(readArrived);
    writers.run(flush);
    finishers.run(finishWritten);
  } finally {
    isRunning = false;
    isScheduled = false;
    if (!(responses.isEmpty && requests.isEmpty && writers.isEmpty && finishers.isEmpty)) schedule();
  }
}

function readArrived(reader: ArrivalReader): void {
  reader.readArrived();
}

function flush(writer: TurnWriter): void {
  writer.flush();
}

function finishWritten(finisher: Finisher): void {
  finisher.finishWritten();
}
