// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/** More than the streams that a peer may have under way, so that frames that crossed a reset are known. */
const MAX_IDS = 256;

/**
 * The last streams that this side ended while the peer could still send on them. Frames that the peer sent before it heard of the
 * end are ignored (RFC 9113, section 5.1); frames on a stream that the peer itself had ended are a connection error.
 */
export class PastStreams {
  readonly #ids: number[] = [];
  #next = 0;

  add(id: number): void {
    this.#ids[this.#next] = id;
    this.#next = (this.#next + 1) % MAX_IDS;
  }

  has(id: number): boolean {
    return this.#ids.includes(id);
  }
}
