// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { randomUUID } from "node:crypto";
import kafkajs, { type Admin, type KafkaMessage } from "kafkajs";
import { eventually } from "./eventually.ts";

/** Makes and reads topics of a test's cluster. */
export class KafkaTopics {
  readonly #client: kafkajs.Kafka;

  /** @param brokers `host:port` of each. */
  constructor(brokers: readonly string[]) {
    this.#client = new kafkajs.Kafka({ brokers: [...brokers], logLevel: kafkajs.logLevel.NOTHING });
  }

  /** Runs `use` with a client of its own: kafkajs's clients remember all topics, and fail for one without a leader. */
  async admin<T>(use: (admin: Admin) => Promise<T>): Promise<T> {
    const admin = this.#client.admin();
    await admin.connect();
    try {
      return await use(admin);
    } finally {
      await admin.disconnect();
    }
  }

  /** @param replicas The nodes of each partition, by their numbers from 1 on. */
  async create(
    topic: string,
    {
      replicas = [[1]],
      config = {},
    }: {
      readonly replicas?: readonly (readonly number[])[];
      readonly config?: Readonly<Record<string, string>>;
    } = {},
  ): Promise<void> {
    // Until the cluster has leaders for the topics of the tests before.
    await eventually(() => this.admin(async (admin) => void (await admin.fetchTopicMetadata())), {
      deadlineMs: 60_000,
      everyMs: 500,
    });
    await this.admin((admin) =>
      admin.createTopics({
        waitForLeaders: true,
        topics: [
          {
            topic,
            replicaAssignment: replicas.map((nodes, partition) => ({ partition, replicas: [...nodes] })),
            configEntries: Object.entries(config).map(([name, value]) => ({ name, value })),
          },
        ],
      }),
    );
  }

  /** All records of a topic, in the order of their partitions. */
  async read(topic: string): Promise<readonly KafkaMessage[]> {
    const offsets = await this.admin((admin) => admin.fetchTopicOffsets(topic));
    const last = new Map(
      offsets.map(({ partition, high }) => [partition, Number(high)]).filter(([, high]) => high !== 0) as [
        number,
        number,
      ][],
    );
    const messages: KafkaMessage[] = [];
    if (last.size === 0) return messages;
    const consumer = this.#client.consumer({
      // A group of its own for each call: a group that has read the records gets none of them again.
      groupId: `read-${randomUUID()}`,
      maxWaitTimeInMs: 100,
      retry: { retries: 20 },
    });
    await consumer.connect();
    await consumer.subscribe({ topic, fromBeginning: true });
    await new Promise<void>((resolve, reject) => {
      consumer
        .run({
          eachMessage: ({ partition, message }) => {
            messages.push(message);
            if (Number(message.offset) + 1 >= (last.get(partition) ?? 0)) last.delete(partition);
            if (last.size === 0) resolve();
            return Promise.resolve();
          },
        })
        .catch(reject);
    });
    await consumer.disconnect();
    return messages;
  }
}
