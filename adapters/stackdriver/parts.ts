// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import {
  isPurserError,
  PurserError,
  type RefusedInstance,
  type ReportOutcome,
} from "../../plugins/sdk/index.ts";

/** An instance in the JSON of its service. */
export interface Item {
  /** Position in the host's batch. */
  readonly index: number;
  readonly json: string;
}

export interface PartLimits {
  /** Maximum size of a request's items together, in bytes. */
  readonly bytes: number;
  readonly items: number;
}

/** Cuts items into requests, in order. An item that is larger than the limit alone gets a request of its own. */
export function partsOf(items: readonly Item[], limits: PartLimits): readonly (readonly Item[])[] {
  const parts: Item[][] = [];
  let part: Item[] = [];
  let bytes = 0;
  for (const item of items) {
    // One more for the comma.
    const itemBytes = Buffer.byteLength(item.json) + 1;
    if (part.length > 0 && (bytes + itemBytes > limits.bytes || part.length === limits.items)) {
      parts.push(part);
      part = [];
      bytes = 0;
    }
    part.push(item);
    bytes += itemBytes;
  }
  if (part.length > 0) parts.push(part);
  return parts;
}

/**
 * Sends a batch in several requests, one after the other. The first failure of a whole request ends it; what was sent before counts.
 *
 * @param refused Instances that were refused before anything is sent.
 * @param send Sends one request, and returns the instances that the service refused.
 * @throws PurserError when nothing of the batch arrived and nothing was refused for itself.
 */
export async function sendInParts(
  parts: readonly (readonly Item[])[],
  refused: readonly RefusedInstance[],
  send: (part: readonly Item[]) => Promise<readonly RefusedInstance[]>,
): Promise<ReportOutcome> {
  const all = [...refused];
  for (const [number, part] of parts.entries()) {
    try {
      all.push(...(await send(part)));
    } catch (error) {
      if (number === 0 && all.length === 0) throw error;
      const own = asError(error);
      all.push(...parts.slice(number).flatMap((left) => left.map(({ index }) => ({ index, error: own }))));
      break;
    }
  }
  return all.length === 0 ? undefined : { refused: all };
}

/** A request that is too large must not have its single instances dropped: the host sends them again, in smaller batches. */
function asError(error: unknown): Error {
  if (isPurserError(error) && error.code === "PURSER_REQUEST_TOO_LARGE")
    return new PurserError("PURSER_HANDLER_FAILED", error.message, { retryable: true });
  return error as Error;
}

/** The error of an instance that its service would refuse. */
export function unfit(why: string): PurserError {
  return new PurserError("PURSER_HANDLER_FAILED", why, { retryable: false });
}
