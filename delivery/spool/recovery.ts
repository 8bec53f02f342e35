// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { type Settlement, type SpoolState, NO_NUMBER, readSettlements, readState } from "./ledger.ts";
import { OutcomeCounts } from "./outcomes.ts";
import { mayReadLater } from "./read-failure.ts";
import { readRecord, SEGMENT_MAGIC } from "./records.ts";
import { firstOfSegment, Segment } from "./segment.ts";
import type { SpoolFiles } from "./spool-files.ts";

export const STATE_NAME = "state";
const LEDGER_PREFIX = "ledger-";

export function ledgerName(generation: number): string {
  return `${LEDGER_PREFIX}${generation}`;
}

/** Bytes read at once. */
const CHUNK_BYTES = 1024 * 1024;

/** A spool as its files tell it. */
export interface Recovered {
  readonly segments: readonly Segment[];
  readonly generation: number;
  /** Sequence number of the next item. */
  readonly end: number;
  readonly counts: OutcomeCounts;
  readonly unnumbered: number;
  /** Number of items that were accepted and can no longer be read; they are in `counts` as `damaged`. */
  readonly damaged: number;
  /** Sentences about files that could not be read as they should be. */
  readonly reports: readonly string[];
}

/** Reads a spool's files. Damage is reported, never fatal. @throws when the disk or the system refuses now. */
export async function recover(files: SpoolFiles): Promise<Recovered> {
  const reports: string[] = [];
  const names = await files.list();
  const state = await recoverState(files, names, reports);
  const settlements = await recoverLedger(files, names, state.generation);
  const segments = await recoverSegments(files, names, reports);
  const counts = OutcomeCounts.from(state.counts);
  let { unnumbered } = state;
  const settle = (first: number, count: number): void => {
    for (const segment of segments) {
      const end = Math.min(first + count, segment.end);
      for (let sequence = Math.max(first, segment.first); sequence < end; sequence++)
        segment.settle(sequence);
    }
  };
  for (const [first, count] of state.settled) settle(first, count);
  for (const { first, count, outcome } of settlements) {
    counts.add(outcome, count);
    if (first === NO_NUMBER) unnumbered += count;
    else settle(first, count);
  }
  let end = Math.max(state.end, segments.at(-1)?.end ?? 0);
  for (const { first, count } of settlements) if (first !== NO_NUMBER) end = Math.max(end, first + count);
  let waiting = 0;
  for (const { unsettled } of segments) waiting += unsettled;
  // Every number below `end` was given to an item: one that neither left nor waits was lost with its file.
  const damaged = end + unnumbered - counts.all - waiting;
  if (damaged > 0) counts.add("damaged", damaged);
  else unnumbered -= damaged;
  return {
    segments,
    generation: state.generation,
    end,
    counts,
    unnumbered,
    damaged: Math.max(0, damaged),
    reports,
  };
}

async function recoverState(
  files: SpoolFiles,
  names: readonly string[],
  reports: string[],
): Promise<SpoolState> {
  const fresh = { end: 0, counts: [], unnumbered: 0, settled: [] };
  if (!names.includes(STATE_NAME)) return { ...fresh, generation: 0 };
  const state = readState(await readWhole(files, STATE_NAME), files.checksum.bind(files));
  if (state !== undefined) return state;
  reports.push("the state file is damaged: delivered items may be sent again, and the counts begin anew");
  const generations = names
    .filter((name) => name.startsWith(LEDGER_PREFIX))
    .map((name) => Number(name.slice(LEDGER_PREFIX.length)));
  return { ...fresh, generation: Math.max(0, ...generations.filter(Number.isSafeInteger)) + 1 };
}

async function recoverLedger(
  files: SpoolFiles,
  names: readonly string[],
  generation: number,
): Promise<readonly Settlement[]> {
  const current = ledgerName(generation);
  for (const name of names) if (name.startsWith(LEDGER_PREFIX) && name !== current) await files.remove(name);
  if (!names.includes(current)) return [];
  return readSettlements(await readWhole(files, current), files.checksum.bind(files));
}

async function recoverSegments(
  files: SpoolFiles,
  names: readonly string[],
  reports: string[],
): Promise<readonly Segment[]> {
  const firsts = names.flatMap((name) => firstOfSegment(name) ?? []).sort((a, b) => a - b);
  const segments: Segment[] = [];
  for (const [index, first] of firsts.entries()) {
    // A segment whose write failed in the middle may hold records that the next one repeats.
    const limit = (firsts[index + 1] ?? Number.POSITIVE_INFINITY) - first;
    const segment = new Segment(first, 0);
    const fault = await scan(files, segment, limit);
    if (fault !== undefined && segment.count < limit && limit !== Number.POSITIVE_INFINITY)
      reports.push(`${segment.name}: ${fault}`);
    segments.push(segment);
  }
  return segments;
}

/**
 * Counts the records of a segment's file, at most `limit`, and marks damaged ones as settled.
 *
 * @returns Why nothing after the counted records can be read; undefined when there is nothing.
 */
async function scan(files: SpoolFiles, segment: Segment, limit: number): Promise<string | undefined> {
  const checksum = files.checksum.bind(files);
  let offset = 0;
  let rest: Uint8Array = new Uint8Array(0);
  let needed = SEGMENT_MAGIC.length;
  for (;;) {
    const chunk = await readOrNothing(files, segment.name, offset, Math.max(CHUNK_BYTES, needed));
    if (chunk.length === 0) return rest.length === 0 ? undefined : "the file is cut off";
    let bytes = joined(rest, chunk);
    if (offset === 0) {
      if (!beginsWithMagic(bytes)) return "the file is not a segment";
      bytes = bytes.subarray(SEGMENT_MAGIC.length);
    }
    offset += chunk.length;
    segment.bytes = offset;
    let at = 0;
    for (;;) {
      if (segment.count >= limit) return undefined;
      const record = readRecord(bytes, at, checksum);
      if (record.kind === "lost") return "a record's length is damaged";
      if (record.kind === "short") {
        needed = record.needed;
        break;
      }
      segment.grow(1);
      if (record.kind === "damaged") segment.settle(segment.end - 1);
      at = record.end;
    }
    rest = bytes.slice(at);
  }
}

export function beginsWithMagic(bytes: Uint8Array): boolean {
  return SEGMENT_MAGIC.every((byte, index) => bytes[index] === byte);
}

/** A lost file holds nothing. @throws when the file may be read later: its segment must not be taken for an empty one. */
function readOrNothing(files: SpoolFiles, name: string, offset: number, length: number): Promise<Uint8Array> {
  return files.read(name, offset, length).catch((error: unknown) => {
    if (mayReadLater(error)) throw error;
    return new Uint8Array(0);
  });
}

async function readWhole(files: SpoolFiles, name: string): Promise<Uint8Array> {
  let whole: Uint8Array = new Uint8Array(0);
  for (;;) {
    const chunk = await readOrNothing(files, name, whole.length, CHUNK_BYTES);
    if (chunk.length === 0) return whole;
    whole = joined(whole, chunk);
  }
}

export function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  if (first.length === 0) return second;
  const whole = new Uint8Array(first.length + second.length);
  whole.set(first);
  whole.set(second, first.length);
  return whole;
}
