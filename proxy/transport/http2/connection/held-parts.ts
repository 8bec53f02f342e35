// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/** Smaller parts are copied: each is a view that keeps all bytes of its read alive. */
const MIN_KEPT_BYTES = 4 * 1024;

/** Size of the memory into which small parts are copied, in bytes. */
const COPY_BYTES = 4 * 1024;

/** Parts of a body that wait for their receiver. Their memory is in proportion to their bytes, however small they are. */
export class HeldParts {
  readonly #parts: Buffer[] = [];
  /** The last part, when small parts can be appended to it. */
  #tail: Buffer | undefined = undefined;
  #tailBytes = 0;
  /** Bytes of all parts. */
  bytes = 0;
  /** Number of parts as they came. */
  count = 0;

  get isEmpty(): boolean {
    return this.bytes === 0;
  }

  add(part: Buffer): void {
    this.count++;
    this.bytes += part.length;
    if (part.length >= MIN_KEPT_BYTES) {
      this.#closeTail();
      this.#parts.push(part);
      return;
    }
    if (this.#tail === undefined || this.#tailBytes + part.length > this.#tail.length) {
      this.#closeTail();
      this.#tail = Buffer.allocUnsafeSlow(COPY_BYTES);
    }
    part.copy(this.#tail, this.#tailBytes);
    this.#tailBytes += part.length;
  }

  /** The first part; undefined when there is none. */
  shift(): Buffer | undefined {
    if (this.#parts.length === 0) this.#closeTail();
    const part = this.#parts.shift();
    if (part !== undefined) this.bytes -= part.length;
    return part;
  }

  #closeTail(): void {
    const tail = this.#tail;
    if (tail === undefined) return;
    this.#parts.push(tail.subarray(0, this.#tailBytes));
    this.#tail = undefined;
    this.#tailBytes = 0;
  }
}
