// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { isIP } from "node:net";
import type { Producer } from "@platformatic/kafka";
import type { DriverSettings, KafkaDriver, KafkaRecord } from "./driver.ts";

/** Pause before the library repeats a request, in milliseconds. */
const RETRY_MS = 50;
/** With fewer than two, the library repeats an idempotent producer's requests for ever. */
const RETRIES = 2;
const METADATA_AGE_MS = 300_000;

const ACKS = { all: -1, leader: 1, none: 0 } as const;
const MECHANISMS = {
  plain: "PLAIN",
  "scram-sha-256": "SCRAM-SHA-256",
  "scram-sha-512": "SCRAM-SHA-512",
} as const;

type BytesProducer = Producer<Buffer, Buffer, Buffer, Buffer>;

/** The driver on @platformatic/kafka, for Node 22.22 and newer. */
export async function openPlatformatic(settings: DriverSettings): Promise<KafkaDriver> {
  const library = await import("@platformatic/kafka");
  const producer: BytesProducer = new library.Producer<Buffer, Buffer, Buffer, Buffer>(optionsOf(settings));
  const { idempotent, acks } = settings;
  return {
    // The library takes a new identity after each failure.
    resumes: false,
    async partitionCount(topic) {
      const { topics } = await producer.metadata({ topics: [topic], autocreateTopics: false });
      return topics.get(topic)?.partitionsCount ?? 0;
    },
    async produce(_topic, partition, records) {
      const messages = records.map((record) => messageOf(record, partition));
      await producer.send({ messages, idempotent, acks: ACKS[acks], autocreateTopics: false });
    },
    close() {
      const open = [...producer.connections];
      void producer.close(true).catch(() => {});
      // The library waits until all bytes were sent, which a broker that hangs never takes.
      for (const [, connection] of open) connection.socket?.destroy();
    },
  };
}

function messageOf({ topic, key, value, headers }: KafkaRecord, partition: number) {
  return {
    topic,
    partition,
    value: Buffer.from(value),
    headers: new Map(Object.entries(headers).map(([name, text]) => [Buffer.from(name), Buffer.from(text)])),
    ...(key === undefined ? {} : { key: Buffer.from(key) }),
  };
}

function optionsOf(settings: DriverSettings) {
  const { brokers, clientId, idempotent, compression, tls, sasl, connectTimeoutMs, requestTimeoutMs } =
    settings;
  const isNamed = brokers.some(
    (broker) => isIP(broker.slice(0, broker.lastIndexOf(":")).replace(/^\[|\]$/g, "")) === 0,
  );
  return {
    bootstrapBrokers: [...brokers],
    clientId,
    idempotent,
    compression,
    autocreateTopics: false,
    metadataMaxAge: METADATA_AGE_MS,
    connectTimeout: connectTimeoutMs,
    requestTimeout: requestTimeoutMs,
    timeout: requestTimeoutMs,
    retries: RETRIES,
    retryDelay: RETRY_MS,
    // A name is sent to brokers that have one; TLS allows no address as a name (RFC 6066, section 3).
    ...(tls === undefined ? {} : { tls: tls.ca === undefined ? {} : { ca: tls.ca }, tlsServerName: isNamed }),
    ...(sasl === undefined
      ? {}
      : {
          sasl: { mechanism: MECHANISMS[sasl.mechanism], username: sasl.username, password: sasl.password },
        }),
  };
}
