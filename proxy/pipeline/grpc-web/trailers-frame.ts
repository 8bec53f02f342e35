// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { HeaderList } from "../../transport/contract/header-list.ts";
import { UnsendableHead } from "../../transport/contract/unsendable-head.ts";

/** The flag of a frame with trailers (gRPC-Web, "Message framing"); messages have 0 or 1. */
const TRAILERS_FLAG = 0x80;
/** A flag, and a length of four bytes. */
const PREFIX_BYTES = 5;

/**
 * The last frame of a response of gRPC-Web: its trailers as lines of HTTP/1.1, with names in lower case. Its size is
 * that of the trailers, which the limit for the heads of responses bounds.
 *
 * @returns undefined without trailers that can be sent; the client then misses the status.
 */
export function trailersFrame(trailers: HeaderList): Uint8Array | undefined {
  const lines = linesOf(trailers);
  if (lines === "") return undefined;
  const frame = Buffer.alloc(PREFIX_BYTES + lines.length);
  frame[0] = TRAILERS_FLAG;
  frame.writeUInt32BE(lines.length, 1);
  frame.write(lines, PREFIX_BYTES, "latin1");
  return frame;
}

/** One character for each byte. */
function linesOf(trailers: HeaderList): string {
  try {
    const fields = trailers.sendable();
    let lines = "";
    for (let index = 0; index < fields.length; index += 2)
      lines += `${fields[index]}:${fields[index + 1]}\r\n`;
    return lines;
  } catch (error) {
    if (error instanceof UnsendableHead) return "";
    throw error;
  }
}
