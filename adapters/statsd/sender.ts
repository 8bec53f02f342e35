// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import {
  type AbortSignalLike,
  messageOf,
  PurserError,
  type RefusedInstance,
} from "../../plugins/sdk/index.ts";
import type { Packet } from "./packets.ts";

/** Sends the packets of batches over one transport. */
export interface Sender {
  /**
   * @param batch Identity of the batch: the host passes the same object when it retries.
   * @returns The instances of packets that were not sent, when others were.
   * @throws PurserError PURSER_HANDLER_FAILED when no packet arrived, PURSER_HANDLER_TIMEOUT when the signal aborts first.
   */
  send(
    packets: readonly Packet[],
    batch: object,
    signal: AbortSignalLike,
  ): Promise<readonly RefusedInstance[]>;
  close(): void;
}

/** System errors that no repetition changes: the packet is too large for the network, or the address is not one of a server. */
const PERMANENT: ReadonlySet<string> = new Set(["EMSGSIZE", "EACCES", "EINVAL"]);

export function failureOf(cause: unknown, address: string): PurserError {
  const { code = "" } = cause as NodeJS.ErrnoException;
  return new PurserError("PURSER_HANDLER_FAILED", `statsd at ${address}: ${messageOf(cause) || code}`, {
    cause,
    retryable: !PERMANENT.has(code),
    details: { address },
  });
}

export function closedError(): PurserError {
  return new PurserError("PURSER_HANDLER_FAILED", "the handler is closed", { retryable: false });
}

export function lateMessage(address: string): string {
  return `statsd at ${address} did not take the batch in time`;
}
