// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { CallContext } from "../../plugins/sdk/index.ts";
import { PurserError } from "../../plugins/sdk/index.ts";
import type { Signal } from "./config.ts";

/** Sends encoded requests. */
export interface Sender {
  /**
   * @returns The encoded response.
   * @throws PurserError as a report function rejects.
   */
  send(signal: Signal, request: Uint8Array, call: CallContext): Promise<Uint8Array>;
  /** Ends the calls under way. May be called twice. */
  close(): void;
}

/** The error of a call whose signal aborted. */
export function timedOut(place: string): PurserError {
  return new PurserError("PURSER_HANDLER_TIMEOUT", `${place} did not answer in time`);
}
