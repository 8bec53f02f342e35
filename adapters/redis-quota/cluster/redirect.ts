// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Address } from "../target.ts";
import { SLOTS } from "./key-slot.ts";

/** A node's reply that another node has the slot; the command was not run. */
export interface Redirect {
  /** moved: for good; ask: for this command alone, while the slot is being moved. */
  readonly kind: "moved" | "ask";
  readonly slot: number;
  readonly address: Address;
}

/**
 * Parses `MOVED 3999 127.0.0.1:6381` and `ASK …`; undefined for every other reason. Without a host it is the host that
 * was asked.
 */
export function parseRedirect(reason: string, asked: Address): Redirect | undefined {
  const match = /^(MOVED|ASK) (\d{1,5}) (\S*):(\d{1,5})$/.exec(reason);
  if (match === null) return undefined;
  const [, word, slot, host, port] = match;
  if (Number(slot) >= SLOTS) return undefined;
  return {
    kind: word === "MOVED" ? "moved" : "ask",
    slot: Number(slot),
    address: { host: host === "" || host === undefined ? asked.host : host, port: Number(port) },
  };
}
