// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Clock, Scheduler } from "../../kernel/ports.ts";
import { Batch } from "../batch.ts";
import type { DropReason } from "../events.ts";
import type { BatchLimit, DeliveryQueue, QueueListener } from "../queue.ts";
import { NO_NUMBER } from "./ledger.ts";
import type { SpoolTotals } from "./outcomes.ts";
import { MAX_RECORD_BYTES } from "./records.ts";
import { Spool } from "./spool.ts";
import type { SpoolCodec, SpoolFiles } from "./spool-files.ts";

export interface SpoolQueueOptions<T> {
  readonly files: SpoolFiles;
  readonly codec: SpoolCodec<T>;
  /** Maximum number of items that wait in memory; further ones wait on disk alone. */
  readonly maxItemsInMemory: number;
  /** Maximum size of the spool's items on disk. */
  readonly maxBytes: number;
  /** The items that go when the spool is full. */
  readonly drop: "oldest" | "newest";
  /**
   * Whether every item is written, which lets it survive the process; otherwise only the items that find the
   * memory full.
   */
  readonly writes: "all" | "excess";
  /**
   * While the disk refuses, items wait in memory as long as there is room, without surviving the process; or
   * they are dropped.
   */
  readonly onDiskFailure: "memory" | "drop";
  readonly fsync: "always" | "interval";
  /** Called when the disk refuses, and with undefined when it takes writes again. */
  readonly onFault: (error: unknown) => void;
  /** A sentence about damage that was found, and the number of items that it cost. */
  readonly onDamage: (report: string, items: number) => void;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
}

/** Number of segments that a full spool has, so that dropping the oldest costs little of it. */
const SEGMENTS = 16;

/** Bounds of a segment's size, in bytes. */
const SEGMENT_BYTES = { least: 64 * 1024, most: 8 * 1024 * 1024 };

/** Bytes that are read back at once. */
const READ_BYTES = 256 * 1024;

/** Pause before a folder that cannot be opened is tried again. */
const REOPEN_MS = 1_000;

interface Entry<T> {
  readonly item: T;
  readonly bytes: number;
  /** NO_NUMBER for an item that was not written. */
  readonly sequence: number;
  readonly sinceMs: number;
}

/** A queue on disk, with its oldest waiting items in memory. Items of an earlier process come first. */
export class SpoolQueue<T> implements DeliveryQueue<T> {
  readonly durable: boolean;
  readonly bounded = true;
  readonly #options: SpoolQueueOptions<T>;
  readonly #spool: Spool;
  #listener: QueueListener = { dropped: () => {}, ready: () => {} };
  /** The oldest waiting items, in order. */
  #window: Entry<T>[] = [];
  /** Entries before this index were taken. */
  #head = 0;
  #windowBytes = 0;
  /** Number of waiting items that are on disk alone, with numbers from `#from` on. */
  #onDisk = 0;
  #from = 0;
  #opened = false;
  #openFailed = false;
  /** Settles after the first attempt to read the files. */
  #opening: Promise<void> | undefined;
  #closed = false;
  #loading = false;
  /** Whether a look at the ledger is awaited. */
  #settling = false;
  /** Items that came before the files were read. */
  #early: Entry<T>[] = [];
  #earlyDrops = 0;

  constructor(options: SpoolQueueOptions<T>) {
    this.#options = options;
    this.durable = options.writes === "all";
    const { files, maxBytes, fsync, scheduler, onFault } = options;
    const segmentBytes = Math.min(Math.max(maxBytes / SEGMENTS, SEGMENT_BYTES.least), SEGMENT_BYTES.most);
    this.#spool = new Spool({
      files,
      segmentBytes,
      fsync,
      scheduler,
      onFault,
      onDamage: (report, items) => this.#damaged(report, items),
    });
  }

  get size(): number {
    return this.#inMemory + this.#onDisk + this.#early.length;
  }

  /** Bytes on disk, which taken items occupy too. */
  get bytes(): number {
    return this.#spool.bytes;
  }

  get faulty(): boolean {
    return this.#opened ? this.#spool.faulty : this.#openFailed;
  }

  get oldestMs(): number | undefined {
    return (this.#window[this.#head] ?? this.#early[0])?.sinceMs;
  }

  /** Numbers since the spool was made; undefined until its files were read, and when not every item is written. */
  get totals(): SpoolTotals | undefined {
    return this.#opened && this.durable ? this.#spool.totals : undefined;
  }

  listen(listener: QueueListener): void {
    this.#listener = listener;
    this.#opening = this.#open().finally(() => (this.#opening = undefined));
  }

  fills({ items, bytes = Number.POSITIVE_INFINITY }: BatchLimit): boolean {
    return this.#inMemory >= items || this.#windowBytes >= bytes;
  }

  put(item: T, nowMs = this.#options.clock.monotonicMs()): void {
    const entry = { item, bytes: 0, sequence: NO_NUMBER, sinceMs: nowMs };
    if (this.#opened) this.#accept(entry);
    else if (this.#early.length < this.#options.maxItemsInMemory) this.#early.push(entry);
    else {
      this.#earlyDrops++;
      this.#listener.dropped(1, "unwritable");
    }
  }

  take({ items, bytes = Number.POSITIVE_INFINITY }: BatchLimit): Batch<T> | undefined {
    if (this.#awaitsLedger()) return undefined;
    const first = this.#window[this.#head];
    if (first === undefined) {
      this.#load();
      return undefined;
    }
    const taken: T[] = [];
    const sequences: number[] = [];
    let takenBytes = 0;
    for (; this.#inMemory > 0 && taken.length < items; this.#head++) {
      const entry = this.#window[this.#head] as Entry<T>;
      if (taken.length > 0 && takenBytes + entry.bytes > bytes) break;
      taken.push(entry.item);
      sequences.push(entry.sequence);
      takenBytes += entry.bytes;
    }
    this.#windowBytes -= takenBytes;
    this.#compact();
    this.#load();
    return new Batch(taken, first.sinceMs, sequences);
  }

  acknowledge({ sequences }: Batch<T>, outcome: "delivered" | DropReason): void {
    const written = sequences.filter((sequence) => sequence !== NO_NUMBER);
    this.#spool.settle(written, outcome);
    const unwritten = sequences.length - written.length;
    if (unwritten > 0 && this.durable) this.#spool.settleUnwritten(unwritten, outcome);
  }

  whenOpen(): Promise<void> | undefined {
    return this.durable ? this.#opening : undefined;
  }

  whenDurable(): Promise<void> | undefined {
    return this.durable && this.#opened ? this.#spool.whenWritten() : undefined;
  }

  async close(): Promise<void> {
    this.#closed = true;
    if (!this.#opened) {
      if (this.#early.length > 0) this.#listener.dropped(this.#early.length, "closed");
      await this.#options.files.close();
      return;
    }
    await this.#spool.close();
    const lost = this.#spool.unwritten;
    if (lost > 0) this.#listener.dropped(lost, "unwritable");
  }

  /**
   * Whether the ledger must be written before more is taken: so a kill repeats no more items than are under
   * way at once.
   */
  #awaitsLedger(): boolean {
    const settled = this.durable ? this.#spool.whenSettled() : undefined;
    if (settled === undefined) return false;
    if (!this.#settling)
      void settled.then(() => {
        this.#settling = false;
        this.#listener.ready();
      });
    this.#settling = true;
    return true;
  }

  get #inMemory(): number {
    return this.#window.length - this.#head;
  }

  async #open(): Promise<void> {
    const { scheduler, onFault } = this.#options;
    try {
      await this.#spool.open();
    } catch (error) {
      if (!this.#openFailed) onFault(error);
      this.#openFailed = true;
      if (!this.#closed) scheduler.after(REOPEN_MS, () => void (this.#closed || this.#open()));
      return;
    }
    if (this.#closed) return await this.#spool.close();
    this.#opened = true;
    if (this.#openFailed) onFault(undefined);
    this.#from = this.#spool.first;
    this.#onDisk = this.#spool.waiting;
    if (this.#earlyDrops > 0 && this.durable) this.#spool.settleUnwritten(this.#earlyDrops, "unwritable");
    for (const entry of this.#early.splice(0)) this.#accept(entry);
    this.#load();
    this.#listener.ready();
  }

  #accept(entry: Entry<T>): void {
    const { writes, maxItemsInMemory, onDiskFailure } = this.#options;
    const fits = this.#onDisk === 0 && this.#inMemory < maxItemsInMemory;
    if (writes === "excess" && fits) return this.#keep(entry);
    if (this.#spool.faulty) {
      // The disk takes nothing now, so memory is all there is.
      const room = this.#inMemory + this.#unwrittenBeyondMemory < maxItemsInMemory;
      if (onDiskFailure === "drop" || !room) return this.#refuse("unwritable");
    }
    const payload = this.#encode(entry.item);
    if (payload === undefined) return this.#refuse("unwritable");
    if (this.#spool.bytes + payload.length > this.#options.maxBytes && !this.#makeRoom())
      return this.#refuse("overflow");
    const sequence = this.#spool.append(payload);
    if (!fits) {
      if (this.#onDisk === 0) this.#from = sequence;
      this.#onDisk++;
    } else this.#keep({ ...entry, sequence, bytes: payload.length });
  }

  /** Number of items that are not written, without the waiting ones in memory. */
  get #unwrittenBeyondMemory(): number {
    const { end, unwritten } = this.#spool;
    const last = this.#window.at(-1)?.sequence ?? NO_NUMBER;
    return end - Math.max(end - unwritten, last + 1);
  }

  #keep(entry: Entry<T>): void {
    this.#window.push(entry);
    this.#windowBytes += entry.bytes;
  }

  #refuse(reason: DropReason): void {
    if (this.durable) this.#spool.settleUnwritten(1, reason);
    this.#listener.dropped(1, reason);
  }

  #encode(item: T): Uint8Array | undefined {
    try {
      const payload = this.#options.codec.encode(item);
      return payload.length === 0 || payload.length > MAX_RECORD_BYTES ? undefined : payload;
    } catch {
      return undefined;
    }
  }

  /**
   * Drops the waiting items of the oldest segment that has any. Items under way keep the file of their own segment until they end:
   * while the receiver is away, that is the oldest one.
   */
  #makeRoom(): boolean {
    if (this.#options.drop === "newest") return false;
    const end = this.#spool.segmentEndOf(this.#oldestWaiting);
    const dropped: number[] = [];
    for (; this.#inMemory > 0; this.#head++) {
      const { sequence, bytes } = this.#window[this.#head] as Entry<T>;
      if (sequence >= end) break;
      this.#windowBytes -= bytes;
      if (sequence !== NO_NUMBER) dropped.push(sequence);
      else this.#listener.dropped(1, "overflow");
    }
    this.#compact();
    this.#spool.settle(dropped, "overflow");
    let items = dropped.length;
    if (this.#onDisk > 0 && this.#from < end) {
      const gone = this.#spool.settleRun(this.#from, end - this.#from, "overflow");
      this.#onDisk -= gone;
      this.#from = end;
      items += gone;
    }
    if (items > 0) this.#listener.dropped(items, "overflow");
    // Without a waiting item, items under way hold every segment: the spool may exceed its size by them.
    return items > 0;
  }

  /** Sequence number of the oldest waiting item that is on disk. */
  get #oldestWaiting(): number {
    for (let index = this.#head; index < this.#window.length; index++) {
      const { sequence } = this.#window[index] as Entry<T>;
      if (sequence !== NO_NUMBER) return sequence;
    }
    return this.#from;
  }

  /** Brings items back from the disk while there is room in memory. */
  #load(): void {
    if (this.#loading || this.#closed || this.#onDisk === 0) return;
    if (this.#inMemory > this.#options.maxItemsInMemory / 2) return;
    this.#loading = true;
    void this.#read().finally(() => {
      this.#loading = false;
      if (this.#inMemory > 0) this.#listener.ready();
      this.#load();
    });
  }

  async #read(): Promise<void> {
    await this.#spool.whenWritten();
    const from = this.#from;
    const { records, next } = await this.#spool.read(from, READ_BYTES);
    // Room was made meanwhile.
    if (this.#from !== from) return;
    const sinceMs = this.#options.clock.monotonicMs();
    for (const { sequence, payload } of records) {
      const item = this.#decode(payload);
      this.#onDisk--;
      if (item === undefined) {
        this.#spool.settle([sequence], "damaged");
        this.#options.onDamage("an item cannot be decoded", 1);
        this.#listener.dropped(1, "damaged");
      } else this.#keep({ item: item.value, bytes: payload.length, sequence, sinceMs });
    }
    this.#from = next;
    // Nothing can be read while the disk refuses the items' own writes.
    if (records.length === 0 && next === from) await this.#pause();
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => {
      this.#options.scheduler.after(REOPEN_MS, resolve);
    });
  }

  #decode(payload: Uint8Array): { readonly value: T } | undefined {
    try {
      return { value: this.#options.codec.decode(payload) };
    } catch {
      return undefined;
    }
  }

  #damaged(report: string, items: number): void {
    this.#options.onDamage(report, items);
    if (!this.#opened) return;
    // Items that were found damaged while they were read back.
    this.#onDisk -= items;
    if (items > 0) this.#listener.dropped(items, "damaged");
  }

  #compact(): void {
    if (this.#head * 2 < this.#window.length) return;
    this.#window = this.#window.slice(this.#head);
    this.#head = 0;
  }
}
