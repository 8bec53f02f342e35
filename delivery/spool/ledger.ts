// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { framed, readRecord } from "./records.ts";
import { SPOOL_OUTCOMES, type SpoolOutcome } from "./outcomes.ts";

/** Items of one run of sequence numbers that left the spool in one way. */
export interface Settlement {
  /** The first item's sequence number; NO_NUMBER for items that never had one, because they were never written. */
  readonly first: number;
  readonly count: number;
  readonly outcome: SpoolOutcome;
}

export const NO_NUMBER = -1;

type Checksum = (bytes: Uint8Array) => number;

/** Bytes of a settlement: first (float64), count (uint32), outcome (uint8). */
const SETTLEMENT_BYTES = 13;

/** Settlements as the records of a ledger. */
export function writeSettlements(settlements: readonly Settlement[], checksum: Checksum): Uint8Array {
  return framed(settlements.map(encode), checksum);
}

/** The settlements up to the end or the first damage, after which a ledger says nothing that can be trusted. */
export function readSettlements(bytes: Uint8Array, checksum: Checksum): readonly Settlement[] {
  const settlements: Settlement[] = [];
  for (let at = 0; ; ) {
    const record = readRecord(bytes, at, checksum);
    const settlement = record.kind === "record" ? decode(record.payload) : undefined;
    if (record.kind !== "record" || settlement === undefined) return settlements;
    settlements.push(settlement);
    at = record.end;
  }
}

function encode({ first, count, outcome }: Settlement): Uint8Array {
  const bytes = new Uint8Array(SETTLEMENT_BYTES);
  const view = new DataView(bytes.buffer);
  view.setFloat64(0, first, true);
  view.setUint32(8, count, true);
  view.setUint8(12, SPOOL_OUTCOMES.indexOf(outcome));
  return bytes;
}

function decode(bytes: Uint8Array): Settlement | undefined {
  if (bytes.length !== SETTLEMENT_BYTES) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const outcome = SPOOL_OUTCOMES[view.getUint8(12)];
  if (outcome === undefined) return undefined;
  return { first: view.getFloat64(0, true), count: view.getUint32(8, true), outcome };
}

/** The state of a spool at one moment, to which the ledger of the same generation adds. */
export interface SpoolState {
  /** Number of the ledger that goes on from here. */
  readonly generation: number;
  /** Sequence number of the next item. */
  readonly end: number;
  /** Items that left the spool, in the order of SPOOL_OUTCOMES. */
  readonly counts: readonly number[];
  /** Items accepted without a sequence number. */
  readonly unnumbered: number;
  /** Runs `[first, count]` of settled items in segments that still exist. */
  readonly settled: readonly (readonly [first: number, count: number])[];
}

/** The state as text: a line of JSON, and its checksum on a line of its own. */
export function writeState(state: SpoolState, checksum: Checksum): Uint8Array {
  const text = JSON.stringify(state);
  return asciiBytes(`${text}\n${checksum(asciiBytes(text))}\n`);
}

/** undefined when the file is damaged. */
export function readState(bytes: Uint8Array, checksum: Checksum): SpoolState | undefined {
  const [text = "", sum] = asciiText(bytes).split("\n");
  if (Number(sum) !== checksum(asciiBytes(text)) || sum === "") return undefined;
  return JSON.parse(text) as SpoolState;
}

function asciiBytes(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

function asciiText(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}
