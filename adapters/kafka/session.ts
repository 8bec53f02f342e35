// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Clock, PurserError } from "../../plugins/sdk/index.ts";
import type { KafkaDriver, KafkaRecord } from "./driver.ts";
import { failureOf, isUnknownTopic, kindOf } from "./failure.ts";

/** Time for which a topic's number of partitions is trusted; Kafka's clients ask again every five minutes (metadata.max.age.ms). */
const COUNT_AGE_MS = 300_000;
/** Largest number of topics of a session, for which a driver may keep connections. Their names come from documents, so there are few. */
const MOST_TOPICS = 200;

/** The records for one partition, in the order in which they must arrive. */
export interface Lane {
  readonly topic: string;
  readonly partition: number;
  /** Requests, each within the size limit. */
  readonly requests: readonly (readonly KafkaRecord[])[];
}

/** Tells the errors of records that did not arrive. */
export type OnFailure = (records: readonly KafkaRecord[], error: PurserError) => void;

/**
 * A driver with the state that ends with it: what it learned of topics, and the requests whose outcome is unknown. Brokers tell
 * repeated requests of an idempotent producer by their sequence numbers alone. After an unknown outcome, the numbers may be
 * used again only for the same records: others would be taken for the repetition and lost without an error.
 */
export class Session {
  /** Whether another session must take over after this batch. */
  mustRenew = false;
  readonly #driver: Promise<KafkaDriver>;
  readonly #clock: Clock;
  readonly #counts = new Map<string, { readonly count: number; readonly untilMs: number }>();
  readonly #unknown = new Map<string, readonly KafkaRecord[]>();
  #closed = false;

  constructor(driver: Promise<KafkaDriver>, clock: Clock) {
    this.#driver = driver;
    this.#clock = clock;
    // A driver that is ready only after the close. Whoever uses the session reports why it is not.
    driver.then(
      (ready) => this.#closed && ready.close(),
      () => {},
    );
  }

  /**
   * Number of partitions of a topic.
   *
   * @throws PurserError PURSER_HANDLER_FAILED, permanent when there is no such topic.
   */
  async partitionCount(topic: string): Promise<number> {
    const known = this.#counts.get(topic);
    if (known !== undefined && known.untilMs > this.#clock.monotonicMs()) return known.count;
    try {
      const driver = await this.#driver;
      const count = await driver.partitionCount(topic);
      if (this.#counts.size >= MOST_TOPICS) this.mustRenew = true;
      this.#counts.set(topic, { count, untilMs: this.#clock.monotonicMs() + COUNT_AGE_MS });
      return count;
    } catch (error) {
      const kind = isUnknownTopic(error) ? "permanent" : kindOf(error);
      throw failureOf(error, `topic ${topic}`, kind);
    }
  }

  /** Whether this session's producer may send the lane's records. */
  async accepts({ topic, partition, requests }: Lane): Promise<boolean> {
    const unknown = this.#unknown.get(laneName(topic, partition));
    if (unknown === undefined || !(await this.#driver).resumes) return true;
    const first = requests[0] ?? [];
    return first.length === unknown.length && first.every((record, index) => record === unknown[index]);
  }

  /** Sends a lane's requests one after the other. After a failure that may pass, the rest waits, which keeps the order. */
  async send(lane: Lane, onFailure: OnFailure): Promise<void> {
    const { topic, partition, requests } = lane;
    let stopped: PurserError | undefined;
    for (const request of requests) {
      if (stopped === undefined) stopped = await this.#request(topic, partition, request, onFailure);
      else onFailure(request, stopped);
    }
  }

  /** @returns The error that must stop the lane, if any. */
  async #request(
    topic: string,
    partition: number,
    records: readonly KafkaRecord[],
    onFailure: OnFailure,
  ): Promise<PurserError | undefined> {
    const name = laneName(topic, partition);
    try {
      await (await this.#driver).produce(topic, partition, records);
      this.#unknown.delete(name);
      return undefined;
    } catch (error) {
      const kind = kindOf(error);
      if (kind === "too-large" && records.length > 1)
        return this.#halves(topic, partition, records, onFailure);
      const failure = failureOf(error, `topic ${topic}, partition ${partition}`, kind);
      onFailure(records, failure);
      if (!failure.retryable) return undefined;
      if (kind === "renew") this.mustRenew = true;
      this.#unknown.set(name, records);
      // The topic may have been deleted, or made again with another number of partitions.
      if (isUnknownTopic(error)) this.#counts.delete(topic);
      return failure;
    }
  }

  /** The topic's own limit may be lower than the configured one: the halves go one by one, until single records are refused. */
  async #halves(
    topic: string,
    partition: number,
    records: readonly KafkaRecord[],
    onFailure: OnFailure,
  ): Promise<PurserError | undefined> {
    const middle = records.length >> 1;
    const [front, back] = [records.slice(0, middle), records.slice(middle)];
    const stopped = await this.#request(topic, partition, front, onFailure);
    if (stopped === undefined) return this.#request(topic, partition, back, onFailure);
    onFailure(back, stopped);
    return stopped;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#driver.then(
      (driver) => driver.close(),
      () => {},
    );
  }
}

function laneName(topic: string, partition: number): string {
  return `${topic} ${partition}`;
}
