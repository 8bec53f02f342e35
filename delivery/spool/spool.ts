// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Cancel, Scheduler } from "../../kernel/ports.ts";
import { NO_NUMBER, type Settlement, writeSettlements, writeState } from "./ledger.ts";
import { OutcomeCounts, type SpoolOutcome, type SpoolTotals } from "./outcomes.ts";
import { framed, RECORD_HEADER_BYTES, SEGMENT_MAGIC } from "./records.ts";
import { joined, ledgerName, recover, type Recovered, STATE_NAME } from "./recovery.ts";
import { type SegmentRecord, SegmentReader } from "./segment-reader.ts";
import { Segment } from "./segment.ts";
import type { SpoolFiles } from "./spool-files.ts";

export interface SpoolOptions {
  readonly files: SpoolFiles;
  /** Size after which a segment's file is followed by a new one, in bytes. */
  readonly segmentBytes: number;
  /** When written items are forced to the disk: with each write, or once in FSYNC_INTERVAL_MS. */
  readonly fsync: "always" | "interval";
  readonly scheduler: Scheduler;
  /** Called when the disk refuses, and with undefined when it takes writes again. */
  readonly onFault: (error: unknown) => void;
  /** A sentence about damage that was found, and the number of items that it cost. */
  readonly onDamage: (report: string, items: number) => void;
}

/** What a power failure may cost, with `fsync: interval`; Kafka's and Fluent Bit's defaults leave it to the kernel altogether. */
const FSYNC_INTERVAL_MS = 1_000;

/** Pause before a disk that refused is tried again. */
const RETRY_MS = 1_000;

/** Size of the ledger at which it is summed up in the state file: some 12,000 settlements. */
const LEDGER_BYTES = 256 * 1024;

/**
 * Items on disk, each with a sequence number, until they are settled (delivered or dropped).
 *
 * Items are appended to segments, and settlements to a ledger, by one writer, which groups whatever has come meanwhile. A segment
 * is removed after its last item is settled. The state file sums up the ledger from time to time. After a crash an item whose
 * settlement was not written yet is waiting again, so a receiver may get it twice; an item whose write was confirmed is never lost.
 */
export class Spool {
  readonly #options: SpoolOptions;
  readonly #reader: SegmentReader;
  #segments: Segment[] = [];
  #counts = new OutcomeCounts();
  #unnumbered = 0;
  #generation = 0;
  #ledgerBytes = 0;
  /** Sequence number of the next item. */
  #end = 0;
  /** Items below this number are in the segments' files. */
  #written = 0;
  #current: Segment | undefined;
  /** Payloads from `#written` on, not written yet. */
  #appends: Uint8Array[] = [];
  #appendBytes = 0;
  #settlements: Settlement[] = [];
  /** Whether settlements are on their way into the state file. */
  #checkpointing = false;
  /** Settlements of items that are not written yet. */
  #early: Settlement[] = [];
  #work: Promise<void> | undefined;
  #fault: unknown;
  #closed = false;
  #cancelRetry: Cancel | undefined;
  #cancelSync: Cancel | undefined;
  readonly #unsynced = new Set<string>();

  constructor(options: SpoolOptions) {
    this.#options = options;
    this.#reader = new SegmentReader(options.files);
  }

  /** Reads what an earlier process left. Call nothing else before it resolves; when it rejects, it may be called again. */
  async open(): Promise<void> {
    const { files, onDamage } = this.#options;
    await files.open();
    let recovered: Recovered;
    try {
      recovered = await recover(files);
    } catch (error) {
      // The next call would wait for this reservation.
      await files.close();
      throw error;
    }
    this.#segments = [...recovered.segments];
    this.#counts = recovered.counts;
    this.#unnumbered = recovered.unnumbered;
    this.#generation = recovered.generation;
    this.#end = this.#written = recovered.end;
    for (const report of recovered.reports) onDamage(report, 0);
    if (recovered.damaged > 0) onDamage("items could not be read back", recovered.damaged);
    // The old ledger may end in a torn record, behind which nothing would be read.
    this.#ledgerBytes = Number.POSITIVE_INFINITY;
    this.#kick();
  }

  /** Sequence number of the next item. */
  get end(): number {
    return this.#end;
  }

  /** Sequence number of the oldest item that may be waiting. */
  get first(): number {
    return this.#segments[0]?.first ?? this.#written;
  }

  /** Number of items that are not settled. */
  get waiting(): number {
    return this.#end + this.#unnumbered - this.#counts.all;
  }

  /** Bytes of items on disk, and on their way there. */
  get bytes(): number {
    let bytes = this.#appendBytes;
    // A segment without waiting items is about to be removed.
    for (const segment of this.#segments) if (segment.unsettled > 0) bytes += segment.bytes;
    return bytes;
  }

  get totals(): SpoolTotals {
    const { dropped } = this.#counts;
    return { accepted: this.#end + this.#unnumbered, delivered: this.#counts.of("delivered"), dropped };
  }

  /** Whether the disk refused the last write. */
  get faulty(): boolean {
    return this.#fault !== undefined;
  }

  /** End of an item's segment: the items below it must leave before its file can be removed. */
  segmentEndOf(sequence: number): number {
    return this.#segmentOf(sequence)?.end ?? this.#written;
  }

  /** Accepts an item; it is written soon. */
  append(payload: Uint8Array): number {
    this.#appends.push(payload);
    this.#appendBytes += payload.length + RECORD_HEADER_BYTES;
    this.#kick();
    return this.#end++;
  }

  /** Accepts and settles items that are never written. */
  settleUnwritten(items: number, outcome: SpoolOutcome): void {
    this.#unnumbered += items;
    this.#settle({ first: NO_NUMBER, count: items, outcome });
  }

  /** The items with these numbers, in any order, have left. */
  settle(sequences: readonly number[], outcome: SpoolOutcome): void {
    for (let index = 0; index < sequences.length; ) {
      const first = sequences[index] as number;
      let count = 1;
      while (sequences[index + count] === first + count) count++;
      this.settleRun(first, count, outcome);
      index += count;
    }
  }

  /** As `settle`, for consecutive numbers; those that have left already are not counted again. */
  settleRun(first: number, count: number, outcome: SpoolOutcome): number {
    const written = Math.max(0, Math.min(count, this.#written - first));
    const fresh = written === 0 ? 0 : this.#settleWritten(first, written, outcome);
    const early = count - written;
    if (early > 0) {
      this.#counts.add(outcome, early);
      this.#early.push({ first: first + written, count: early, outcome });
    }
    return fresh + early;
  }

  /** The oldest unsettled items from `from` on, up to about `maxBytes`; and the number to go on from. */
  async read(
    from: number,
    maxBytes: number,
  ): Promise<{ readonly records: readonly SegmentRecord[]; readonly next: number }> {
    const segment = this.#segments.find(({ end }) => end > from);
    // Items that are not written yet cannot be read back.
    if (segment === undefined) return { records: [], next: from };
    const { records, next, lost } = await this.#reader.read(segment, Math.max(from, segment.first), maxBytes);
    for (const { first, count, reason } of lost) {
      const items = this.settleRun(first, count, "damaged");
      if (items > 0) this.#options.onDamage(`${segment.name}: ${reason}`, items);
    }
    return { records, next };
  }

  /** Resolves when every item accepted so far is written; undefined when that is so, or while the disk refuses. */
  whenWritten(): Promise<void> | undefined {
    if (this.#appends.length === 0 || this.faulty) return undefined;
    const until = this.#end;
    const wait = async (): Promise<void> => {
      while (this.#written < until && !this.faulty && this.#work !== undefined) await this.#work;
    };
    return wait();
  }

  /** Resolves when the settlements so far are on disk; undefined when that is so, or while the disk refuses. */
  whenSettled(): Promise<void> | undefined {
    if (!this.#isSettling) return undefined;
    const wait = async (): Promise<void> => {
      while (this.#isSettling && this.#work !== undefined) await this.#work;
    };
    return wait();
  }

  get #isSettling(): boolean {
    return !this.faulty && (this.#settlements.length > 0 || this.#checkpointing);
  }

  /** Number of accepted items that are not on disk. */
  get unwritten(): number {
    return this.#appends.length;
  }

  /** Writes the remaining items, if the disk takes them, and closes the files. No call follows. */
  async close(): Promise<void> {
    const { files } = this.#options;
    this.#closed = true;
    await this.#work;
    this.#cancelRetry?.();
    this.#cancelSync?.();
    await this.#attempt(async () => {
      await this.#write();
      await this.#checkpoint();
      await this.#sync();
    });
    this.#cancelRetry?.();
    await files.close();
  }

  #settleWritten(first: number, count: number, outcome: SpoolOutcome): number {
    let fresh = 0;
    let run = 0;
    const flush = (end: number): void => {
      if (run > 0) this.#settle({ first: end - run, count: run, outcome });
      run = 0;
    };
    for (let sequence = first; sequence < first + count; sequence++) {
      const segment = this.#segmentOf(sequence);
      if (segment?.settle(sequence) === true) {
        run++;
        fresh++;
      } else flush(sequence);
    }
    flush(first + count);
    return fresh;
  }

  #segmentOf(sequence: number): Segment | undefined {
    // Settlements are mostly about the oldest segments.
    return this.#segments.find(({ end }) => end > sequence);
  }

  #settle(settlement: Settlement): void {
    this.#counts.add(settlement.outcome, settlement.count);
    this.#settlements.push(settlement);
    this.#kick();
  }

  /** Begins to write, unless that is under way. */
  #kick(): void {
    if (this.#work !== undefined || this.faulty || this.#closed) return;
    this.#begin();
  }

  /** Only one write is under way at a time, be it a retry or not: two would write the same items. */
  #begin(): void {
    // One write takes whatever the current turn of the event loop brings.
    this.#work = Promise.resolve()
      .then(() => this.#attempt(() => this.#write()))
      .finally(() => {
        this.#work = undefined;
        if (this.#appends.length > 0 || this.#settlements.length > 0) this.#kick();
      });
  }

  async #attempt(step: () => Promise<void>): Promise<void> {
    try {
      await step();
      if (this.faulty) this.#options.onFault(undefined);
      this.#fault = undefined;
    } catch (error) {
      this.#failed(error);
    }
  }

  #failed(error: unknown): void {
    const { onFault, scheduler } = this.#options;
    if (!this.faulty) onFault(error);
    this.#fault = error ?? new Error("the disk refused");
    this.#current = undefined;
    this.#cancelRetry?.();
    this.#cancelRetry = scheduler.after(RETRY_MS, () => {
      // A write that is still under way tells by its own end whether the disk takes writes again.
      if (this.#work === undefined && !this.#closed) this.#begin();
    });
  }

  async #write(): Promise<void> {
    while (this.#appends.length > 0) await this.#appendGroup();
    const removable = this.#segments.filter(
      (segment) => segment.unsettled === 0 && segment !== this.#current,
    );
    await this.#writeSettlements();
    for (const segment of removable) {
      await this.#options.files.remove(segment.name);
      this.#segments.splice(this.#segments.indexOf(segment), 1);
      this.#unsynced.delete(segment.name);
    }
  }

  async #appendGroup(): Promise<void> {
    const { files, segmentBytes, fsync } = this.#options;
    const begun = this.#current !== undefined && this.#current.bytes < segmentBytes;
    const segment = begun ? (this.#current as Segment) : new Segment(this.#written, 0);
    // A write that failed in the middle may have left a file of this name, perhaps that of an earlier process: the segment without items
    // that was read from it must not have the new file removed.
    if (!begun) {
      await files.remove(segment.name);
      this.#segments = this.#segments.filter(({ first }) => first !== segment.first);
    }
    let groupBytes = segment.bytes;
    const group: Uint8Array[] = [];
    for (const payload of this.#appends) {
      if (group.length > 0 && groupBytes >= segmentBytes) break;
      group.push(payload);
      groupBytes += payload.length + RECORD_HEADER_BYTES;
    }
    const records = framed(group, files.checksum.bind(files));
    const bytes = begun ? records : joined(SEGMENT_MAGIC, records);
    await files.append(segment.name, bytes);
    if (fsync === "always") await files.sync(segment.name);
    else this.#syncLater(segment.name);
    if (!begun) this.#segments.push(segment);
    this.#current = segment;
    segment.bytes += bytes.length;
    segment.grow(group.length);
    this.#written += group.length;
    this.#appends.splice(0, group.length);
    this.#appendBytes -= records.length;
    this.#settleEarly();
  }

  /** Settles what left before it was written. */
  #settleEarly(): void {
    for (const { first, count, outcome } of this.#early.splice(0)) {
      const written = Math.max(0, Math.min(count, this.#written - first));
      for (let sequence = first; sequence < first + written; sequence++)
        this.#segmentOf(sequence)?.settle(sequence);
      if (written > 0) this.#settlements.push({ first, count: written, outcome });
      if (count > written) this.#early.push({ first: first + written, count: count - written, outcome });
    }
  }

  async #writeSettlements(): Promise<void> {
    const { files } = this.#options;
    if (this.#ledgerBytes > LEDGER_BYTES) return await this.#checkpoint();
    const group = this.#settlements.slice();
    if (group.length === 0) return;
    const bytes = writeSettlements(group, files.checksum.bind(files));
    try {
      await files.append(ledgerName(this.#generation), bytes);
    } catch (error) {
      // Part of the group may be in the file, and must not be counted twice: a new ledger begins.
      this.#ledgerBytes = Number.POSITIVE_INFINITY;
      throw error;
    }
    this.#settlements.splice(0, group.length);
    this.#ledgerBytes += bytes.length;
    this.#syncLater(ledgerName(this.#generation));
  }

  /** Sums up the ledger in the state file, and begins a new ledger. */
  async #checkpoint(): Promise<void> {
    const { files } = this.#options;
    const unwritten = this.#settlements.splice(0);
    const state = {
      generation: this.#generation + 1,
      end: this.#written,
      counts: this.#writtenCounts(),
      unnumbered: this.#unnumbered,
      settled: this.#segments.flatMap((segment) => [...segment.settledRuns()]),
    };
    this.#checkpointing = true;
    try {
      await files.replace(STATE_NAME, writeState(state, files.checksum.bind(files)));
    } catch (error) {
      this.#settlements.unshift(...unwritten);
      throw error;
    } finally {
      this.#checkpointing = false;
    }
    const old = ledgerName(this.#generation);
    this.#generation = state.generation;
    this.#ledgerBytes = 0;
    this.#unsynced.delete(old);
    await files.remove(old);
  }

  /** The counts without the settlements of items that are not written yet: their ledger entries follow. */
  #writtenCounts(): readonly number[] {
    const counts = OutcomeCounts.from(this.#counts.toList());
    for (const { outcome, count } of this.#early) counts.add(outcome, -count);
    return counts.toList();
  }

  #syncLater(name: string): void {
    const { scheduler } = this.#options;
    this.#unsynced.add(name);
    this.#cancelSync ??= scheduler.after(FSYNC_INTERVAL_MS, () => {
      this.#cancelSync = undefined;
      // Success does not end a fault: a full disk still forces to the disk what it took before.
      void this.#sync().catch((error: unknown) => this.#failed(error));
    });
  }

  async #sync(): Promise<void> {
    for (const name of this.#unsynced) {
      this.#unsynced.delete(name);
      await this.#options.files.sync(name);
    }
  }
}
