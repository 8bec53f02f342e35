// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/**
 * The folder of a spool, as a port: delivery/ does no I/O of its own. Names are plain file names. Every function rejects with the
 * platform's error when the disk refuses.
 */
export interface SpoolFiles {
  /** Waits until no other process and no other spool of this one uses the folder, makes it, and reserves it. */
  open(): Promise<void>;
  list(): Promise<readonly string[]>;
  /** Up to `length` bytes from `offset`; fewer at the end of the file. */
  read(name: string, offset: number, length: number): Promise<Uint8Array>;
  /** Appends all bytes to the file, which is made when absent. When it rejects, some of them may be in the file. */
  append(name: string, bytes: Uint8Array): Promise<void>;
  /** Replaces the file as a whole: a reader sees the old content or the new. */
  replace(name: string, bytes: Uint8Array): Promise<void>;
  /** Forces appended bytes to the disk. */
  sync(name: string): Promise<void>;
  /** Removes the file; an absent file is no error. */
  remove(name: string): Promise<void>;
  /** CRC-32 (ISO 3309) of the bytes. */
  checksum(bytes: Uint8Array): number;
  /** Closes files and gives up the reservation. */
  close(): Promise<void>;
}

/** Conversion of items to bytes and back. */
export interface SpoolCodec<T> {
  /** @throws when the item cannot be written. */
  encode(item: T): Uint8Array;
  /** @throws when the bytes are no item. */
  decode(bytes: Uint8Array): T;
}
