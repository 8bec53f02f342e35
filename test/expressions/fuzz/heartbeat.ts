// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/**
 * Shared memory of a worker and its supervisor: a counter that grows with each expression, and the
 * expression's text.
 */
const HEADER_WORDS = 2;
const TEXT_BYTES = 64 * 1024;

export const newHeartbeat = (): SharedArrayBuffer =>
  new SharedArrayBuffer(HEADER_WORDS * Int32Array.BYTES_PER_ELEMENT + TEXT_BYTES);

/** Writes an expression, cut to the memory's size, before it is evaluated. */
export function heartbeatWriter(memory: SharedArrayBuffer): (source: string) => void {
  const [header, text] = viewsOf(memory);
  const encoder = new TextEncoder();
  return (source) => {
    const { written } = encoder.encodeInto(source, text);
    Atomics.store(header, 1, written);
    Atomics.add(header, 0, 1);
  };
}

export function readHeartbeat(memory: SharedArrayBuffer): { count: number; source: string } {
  const [header, text] = viewsOf(memory);
  const source = Buffer.from(text.slice(0, Atomics.load(header, 1))).toString("utf8");
  return { count: Atomics.load(header, 0), source };
}

function viewsOf(memory: SharedArrayBuffer): [Int32Array, Uint8Array] {
  const headerBytes = HEADER_WORDS * Int32Array.BYTES_PER_ELEMENT;
  return [new Int32Array(memory, 0, HEADER_WORDS), new Uint8Array(memory, headerBytes)];
}
