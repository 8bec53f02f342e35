// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { HeaderList } from "../../contract/header-list.ts";

/** The line before a chunk's bytes; `CHUNK_END` goes after them. */
export function chunkSizeLine(sizeBytes: number): string {
  return `${sizeBytes.toString(16)}\r\n`;
}

export const CHUNK_END = "\r\n";

/** The last chunk, with the trailers and the empty line. */
export function lastChunkText(trailers: HeaderList | undefined): string {
  return trailers === undefined ? "0\r\n\r\n" : `0\r\n${trailers.wireText()}\r\n`;
}
