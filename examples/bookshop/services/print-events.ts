// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import library from "kafkajs";

// Prints the records of one of Kafka's topics, a line each: `TOPIC/PARTITION KEY VALUE`. Creates the topic, because Purser never does.

const PARTITIONS = 3;
/** kafkajs doubles the pause with each attempt: 20 attempts are some 30 s, enough for a broker that starts. */
const RETRY = { initialRetryTime: 200, maxRetryTime: 2_000, retries: 20 };

const { values } = parseArgs({
  options: {
    brokers: { type: "string", default: "127.0.0.1:9092" },
    topic: { type: "string", default: "purser.logentry" },
    group: { type: "string", default: "print-events" },
    /** A file that is written once the topic exists and this process reads it, for health checks. */
    "ready-file": { type: "string" },
  },
});
const { topic } = values;

const kafka = new library.Kafka({
  clientId: "print-events",
  brokers: values.brokers.split(","),
  retry: RETRY,
  // Its warnings about a broker that starts would come between the records.
  logLevel: library.logLevel.NOTHING,
});

try {
  await createTopic();
  const consumer = kafka.consumer({ groupId: values.group });
  consumer.on(consumer.events.GROUP_JOIN, () => {
    if (values["ready-file"] !== undefined) writeFileSync(values["ready-file"], "");
  });
  // kafkajs restarts its consumer after errors that may pass. After the others this process ends, to be restarted.
  consumer.on(consumer.events.CRASH, ({ payload: { error, restart } }) => {
    if (!restart) fail(error);
  });
  for (const signal of ["SIGINT", "SIGTERM"] as const)
    process.once(signal, () => void consumer.disconnect().finally(() => process.exit(0)));
  await consumer.connect();
  await consumer.subscribe({ topics: [topic], fromBeginning: true });
  await consumer.run({
    eachMessage: ({ topic: place, partition, message: { key, value } }) => {
      process.stdout.write(
        `${place}/${partition} ${key?.toString("utf8") ?? "-"} ${value?.toString("utf8") ?? ""}\n`,
      );
      return Promise.resolve();
    },
  });
} catch (error) {
  fail(error as Error);
}

async function createTopic(): Promise<void> {
  const admin = kafka.admin();
  await admin.connect();
  try {
    await admin.createTopics({ topics: [{ topic, numPartitions: PARTITIONS }], waitForLeaders: true });
  } finally {
    await admin.disconnect();
  }
}

function fail({ message }: Error): void {
  process.stderr.write(`print-events: ${message}\n`);
  process.exit(1);
}
