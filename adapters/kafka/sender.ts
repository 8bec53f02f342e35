// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { AbortSignalLike, Clock, PurserError, Random } from "../../plugins/sdk/index.ts";
import { Calls } from "./calls.ts";
import type { KafkaDriver, KafkaRecord } from "./driver.ts";
import { closedError, failureOf, timedOut, tooLarge } from "./failure.ts";
import { Partitioner } from "./partition.ts";
import { type Lane, type OnFailure, Session } from "./session.ts";

export interface SenderOptions {
  /** Makes a driver; called at the first send, and whenever a producer with a new identity is needed. */
  readonly open: () => Promise<KafkaDriver>;
  readonly idempotent: boolean;
  readonly maxRecordBytes: number;
  readonly clock: Clock;
  readonly random: Random;
}

/** The errors of the records that did not arrive, by their position. */
export type SendResult = ReadonlyMap<number, PurserError>;

/**
 * Sends batches, one at a time: the order of a partition's requests is that of the calls, and the idempotent producer's numbers
 * have one user. A batch goes to all its partitions at once.
 */
export class RecordSender {
  readonly #options: SenderOptions;
  readonly #partitioner: Partitioner;
  readonly #calls = new Calls();
  #session: Session | undefined;
  #turn: Promise<unknown> = Promise.resolve();
  #healthy = true;
  #closed = false;

  constructor(options: SenderOptions) {
    this.#options = options;
    this.#partitioner = new Partitioner(options.random);
  }

  /** Whether the last batch that was tried did not fail for a reason that may pass. */
  get healthy(): boolean {
    return this.#healthy;
  }

  /** Rejects with PURSER_HANDLER_TIMEOUT when the signal aborts, and when the sender is closed. */
  async send(records: readonly KafkaRecord[], signal: AbortSignalLike): Promise<SendResult> {
    if (this.#closed) throw closedError();
    if (signal.aborted) throw timedOut();
    const before = this.#turn;
    const { promise: mine, resolve: finish } = withResolvers();
    this.#turn = Promise.all([before, mine]);
    try {
      await this.#calls.run(before, signal);
      const result = await this.#calls.run(this.#sendAll(records), signal, () => this.#end());
      this.#healthy = ![...result.values()].some(({ retryable }) => retryable);
      return result;
    } catch (error) {
      this.#healthy = false;
      throw error;
    } finally {
      finish();
    }
  }

  close(): void {
    this.#closed = true;
    this.#calls.endAll();
    this.#end();
  }

  /** Ends the session: the next call begins one, with a producer of its own. */
  #end(): void {
    this.#session?.close();
    this.#session = undefined;
  }

  #current(): Session {
    if (this.#closed) throw closedError();
    return (this.#session ??= new Session(this.#options.open(), this.#options.clock));
  }

  async #sendAll(records: readonly KafkaRecord[]): Promise<SendResult> {
    const errors = new Map<KafkaRecord, PurserError>();
    const onFailure: OnFailure = (failed, error) => {
      for (const record of failed) errors.set(record, error);
    };
    const { maxRecordBytes } = this.#options;
    const sendable = records.filter(({ bytes }) => bytes <= maxRecordBytes);
    for (const record of records) {
      if (record.bytes > maxRecordBytes)
        onFailure(
          [record],
          tooLarge(`a record of ${record.bytes} bytes is larger than maxRecordBytes, ${maxRecordBytes}`),
        );
    }
    let session = this.#current();
    const lanes = await this.#lanesOf(session, sendable, onFailure);
    session = await this.#sessionFor(session, lanes);
    await Promise.all(lanes.map((lane) => session.send(lane, onFailure)));
    if (session.mustRenew && this.#session === session) this.#end();
    return new Map(
      records.flatMap((record, index) => {
        const error = errors.get(record);
        return error === undefined ? [] : [[index, error] as const];
      }),
    );
  }

  /** The records by partition. Those of a topic whose partitions are unknown fail. */
  async #lanesOf(
    session: Session,
    records: readonly KafkaRecord[],
    onFailure: OnFailure,
  ): Promise<readonly Lane[]> {
    const byTopic = groupsOf(records, ({ topic }) => topic);
    const lanes: Lane[] = [];
    for (const [topic, own] of byTopic) {
      let count: number;
      try {
        count = await session.partitionCount(topic);
      } catch (error) {
        onFailure(own, error as PurserError);
        continue;
      }
      const partitions = this.#partitioner.assign(own, count);
      const byPartition = groupsOf(own, (_, index) => partitions[index] as number);
      for (const [partition, group] of byPartition) {
        lanes.push({ topic, partition, requests: requestsOf(group, this.#options.maxRecordBytes) });
      }
    }
    return lanes;
  }

  /** The session, or a new one when its producer must not send these records. */
  async #sessionFor(session: Session, lanes: readonly Lane[]): Promise<Session> {
    if (!this.#options.idempotent) return session;
    try {
      const answers = await Promise.all(lanes.map((lane) => session.accepts(lane)));
      if (answers.every(Boolean)) return session;
    } catch (error) {
      throw failureOf(error, "the driver could not be loaded");
    }
    if (this.#session === session) this.#end();
    return this.#current();
  }
}

/** Map.groupBy, which Node 20 lacks. */
function groupsOf<T, K>(
  items: readonly T[],
  keyOf: (item: T, index: number) => K,
): ReadonlyMap<K, readonly T[]> {
  const groups = new Map<K, T[]>();
  for (const [index, item] of items.entries()) {
    const key = keyOf(item, index);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return groups;
}

/** Divides records, in their order, into requests of at most `maxBytes`. */
function requestsOf(records: readonly KafkaRecord[], maxBytes: number): readonly (readonly KafkaRecord[])[] {
  const requests: KafkaRecord[][] = [];
  let size = Number.POSITIVE_INFINITY;
  for (const record of records) {
    if (size + record.bytes > maxBytes) {
      requests.push([]);
      size = 0;
    }
    requests.at(-1)?.push(record);
    size += record.bytes;
  }
  return requests;
}

function withResolvers(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve: () => void = () => {};
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}
