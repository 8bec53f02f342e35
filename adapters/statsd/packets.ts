// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { PurserError, type RefusedInstance } from "../../plugins/sdk/index.ts";
import type { Line } from "./lines.ts";

/** Lines that travel together, each ended by a line break but the last. */
export interface Packet {
  readonly bytes: Buffer;
  readonly instances: readonly number[];
}

/** Fills packets of at most `maxBytes` with lines in their order; refuses the instances of a line that is larger. */
export function packetsOf(
  lines: readonly Line[],
  maxBytes: number,
): { readonly packets: readonly Packet[]; readonly refused: readonly RefusedInstance[] } {
  const packets: Packet[] = [];
  const refused: RefusedInstance[] = [];
  let texts: string[] = [];
  let instances: number[] = [];
  let size = 0;
  const finish = (): void => {
    if (texts.length > 0) packets.push({ bytes: Buffer.from(texts.join("\n")), instances });
    texts = [];
    instances = [];
    size = 0;
  };
  for (const line of lines) {
    const bytes = Buffer.byteLength(line.text);
    if (bytes > maxBytes) {
      const message = `a line takes ${bytes} bytes, more than the ${maxBytes} of maxPacketBytes`;
      for (const index of line.instances)
        refused.push({ index, error: new PurserError("PURSER_REQUEST_TOO_LARGE", message) });
      continue;
    }
    if (size + bytes + 1 > maxBytes + 1 && texts.length > 0) finish();
    texts.push(line.text);
    instances.push(...line.instances);
    size += bytes + 1;
  }
  finish();
  return { packets, refused };
}
