// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { RefusedInstance } from "../../../core/hooks/extension.ts";
import { PurserError } from "../../../kernel/errors.ts";

export interface ByteLimit {
  /** Maximum size of a request's body, in bytes. */
  readonly maxBytes: number;
  /** Size of the body without any instance, in bytes. */
  readonly frameBytes: number;
  /** Bytes between two instances; default 1. */
  readonly separatorBytes?: number;
}

/**
 * Finds the instances that no request can hold.
 *
 * @param sizes The size of each instance in the body, in bytes.
 * @returns The instances that are too large alone, with permanent errors; the others fit into one request.
 * @throws PurserError PURSER_REQUEST_TOO_LARGE when the others together do not fit: the host then sends halves of the batch.
 */
export function oversized(
  sizes: readonly number[],
  { maxBytes, frameBytes, separatorBytes = 1 }: ByteLimit,
): readonly RefusedInstance[] {
  const refused: RefusedInstance[] = [];
  let total = frameBytes;
  for (const [index, bytes] of sizes.entries()) {
    if (frameBytes + bytes <= maxBytes) {
      total += bytes + separatorBytes;
      continue;
    }
    const message = `the instance takes ${frameBytes + bytes} bytes, more than the ${maxBytes} bytes of a request`;
    refused.push({ index, error: new PurserError("PURSER_REQUEST_TOO_LARGE", message) });
  }
  const fitting = sizes.length - refused.length;
  // One instance has no separator.
  if (fitting > 1 && total - separatorBytes > maxBytes) {
    const bytes = total - separatorBytes;
    throw new PurserError(
      "PURSER_REQUEST_TOO_LARGE",
      `${fitting} instances take ${bytes} bytes, more than the ${maxBytes} bytes of a request`,
    );
  }
  return refused;
}
