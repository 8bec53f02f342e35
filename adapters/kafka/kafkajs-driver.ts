// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { isIP, type Socket, connect as connectPlain } from "node:net";
import { connect as connectTls } from "node:tls";
import type { ISocketFactory, Kafka, KafkaConfig, Producer } from "kafkajs";
import type { DriverSettings, KafkaDriver, KafkaRecord, SaslSettings } from "./driver.ts";

/** Pause before kafkajs repeats a request, in milliseconds: enough for a partition that has just got another leader. */
const RETRY_MS = 50;

/** kafkajs refuses an idempotent producer that never repeats. One repetition asks for the partition's leader again. */
const PRODUCE_RETRIES = 1;

const KEEP_ALIVE_MS = 60_000;
const ACKS = { all: -1, leader: 1, none: 0 } as const;

/** The driver on kafkajs (2.2.4), which runs on every version of Node that Purser does. */
export async function openKafkajs(settings: DriverSettings): Promise<KafkaDriver> {
  const { default: library } = await import("kafkajs");
  const { GZIP, None } = library.CompressionTypes;
  const sockets = new Sockets();
  const quiet = new Warnings(settings.logger);
  const kafka = new library.Kafka(configOf(settings, sockets.connect, quiet));
  const producers = new Map<string, Promise<Producer>>();
  // Each topic has a producer: kafkajs asks for the metadata of all topics of a producer together, and one that was deleted, may no
  // longer be written to or has lost a leader would fail them all.
  const producerOf = (topic: string): Promise<Producer> => {
    let producer = producers.get(topic);
    if (producer === undefined) {
      producer = connected(kafka, settings);
      producers.set(topic, producer);
      producer.catch(() => producers.delete(topic));
    }
    return producer;
  };
  return {
    // kafkajs counts the numbers of a failed request back.
    resumes: true,
    async partitionCount(topic) {
      const admin = kafka.admin();
      try {
        await admin.connect();
        const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
        return topics.find(({ name }) => name === topic)?.partitions.length ?? 0;
      } finally {
        await admin.disconnect();
      }
    },
    async produce(topic, partition, records) {
      const producer = await producerOf(topic);
      await producer.send({
        topic,
        acks: ACKS[settings.acks],
        timeout: settings.requestTimeoutMs,
        compression: settings.compression === "gzip" ? GZIP : None,
        messages: records.map((record) => messageOf(record, partition)),
      });
      quiet.reset();
    },
    close: () => sockets.close(),
  };
}

async function connected(kafka: Kafka, { idempotent }: DriverSettings): Promise<Producer> {
  const producer = kafka.producer({
    allowAutoTopicCreation: false,
    idempotent,
    // Records come with their partition: the library would choose another one at each repetition.
    createPartitioner:
      () =>
      ({ message }) =>
        message.partition as number,
    retry: { retries: PRODUCE_RETRIES, initialRetryTime: RETRY_MS, maxRetryTime: RETRY_MS },
  });
  await producer.connect();
  return producer;
}

function messageOf({ key, value, headers }: KafkaRecord, partition: number) {
  return { key: key ?? null, value, headers: { ...headers }, partition };
}

function configOf(settings: DriverSettings, socketFactory: ISocketFactory, quiet: Warnings): KafkaConfig {
  const { brokers, clientId, tls, connectTimeoutMs, requestTimeoutMs, sasl } = settings;
  return {
    brokers: [...brokers],
    clientId,
    connectionTimeout: connectTimeoutMs,
    authenticationTimeout: requestTimeoutMs,
    requestTimeout: requestTimeoutMs,
    // A connection is tried with each of the brokers once.
    retry: { retries: brokers.length - 1, initialRetryTime: RETRY_MS, maxRetryTime: RETRY_MS },
    ...(tls === undefined ? {} : { ssl: tls.ca === undefined ? true : { ca: tls.ca } }),
    ...(sasl === undefined ? {} : { sasl: saslOf(sasl) }),
    socketFactory,
    // kafkajs numbers its levels: 4 is INFO, the last one before lines for each request.
    logLevel: 4,
    logCreator: () => (entry) => quiet.log(entry),
  };
}

/** kafkajs types each mechanism on its own. */
function saslOf({ mechanism, username, password }: SaslSettings): NonNullable<KafkaConfig["sasl"]> {
  switch (mechanism) {
    case "plain":
      return { mechanism, username, password };
    case "scram-sha-256":
      return { mechanism, username, password };
    case "scram-sha-512":
      return { mechanism, username, password };
  }
}

/** The sockets of a driver, so that all can be destroyed: kafkajs itself waits for answers before it closes. */
class Sockets {
  readonly #open = new Set<Socket>();
  #closed = false;

  readonly connect: ISocketFactory = ({ host, port, ssl, onConnect }) => {
    // kafkajs may still be in the middle of a repetition.
    if (this.#closed) throw new Error("the driver was closed");
    const socket =
      ssl === undefined || ssl === null
        ? connectPlain({ host, port }, onConnect)
        : connectTls(
            { host, port, ...(isIP(host) === 0 ? { servername: host } : {}), ...tlsOptions(ssl) },
            onConnect,
          );
    socket.setNoDelay(true);
    socket.setKeepAlive(true, KEEP_ALIVE_MS);
    this.#open.add(socket);
    socket.once("close", () => this.#open.delete(socket));
    return socket;
  };

  close(): void {
    this.#closed = true;
    // kafkajs rejects requests and stops its timers at an error, and takes no notice of a close without one.
    for (const socket of this.#open) socket.destroy(new Error("the driver was closed"));
  }
}

/** `ssl: true` reaches the socket factory as it is. */
function tlsOptions(ssl: unknown): object {
  return typeof ssl === "object" && ssl !== null ? ssl : {};
}

/** kafkajs logs each failed step as an error. The first one since a success is a warning, the others are for debugging. */
class Warnings {
  readonly #logger: DriverSettings["logger"];
  #warned = false;

  constructor(logger: DriverSettings["logger"]) {
    this.#logger = logger;
  }

  log({
    namespace,
    label,
    log,
  }: {
    readonly namespace: string;
    readonly label: string;
    readonly log: { readonly message: string; readonly [extra: string]: unknown };
  }): void {
    const reason = typeof log["error"] === "string" ? `${log.message}: ${log["error"]}` : log.message;
    const fields = { library: "kafkajs", part: namespace, reason };
    if (label === "ERROR" && !this.#warned) {
      this.#warned = true;
      this.#logger.warn("the cluster is unavailable or refuses", fields);
    } else this.#logger.debug("the library's log", fields);
  }

  reset(): void {
    this.#warned = false;
  }
}
