// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { join } from "node:path";
import kafkajs from "kafkajs";
import { findKafka } from "../kafka/artifacts.ts";
import { type KafkaCluster, startCluster } from "../kafka/cluster.ts";
import type { Children } from "../machine/children.ts";
import { freePort } from "../machine/free-port.ts";
import { program } from "../machine/repository.ts";
import { startServer } from "../machine/server.ts";
import { type Receivers, TOPICS } from "./contenders.ts";

const PARTITIONS = 3;

/** The receivers of all contenders, on the core of this process. */
export interface RunningReceivers extends Receivers {
  /** The reason for each handler whose receiver cannot run. */
  readonly missing: Readonly<Record<string, string>>;
  /** Ends the broker; the other receivers end with the bench's children. */
  stop(): Promise<void>;
}

export async function startReceivers(
  children: Children,
  core: number,
  folder: string,
  node: string,
): Promise<RunningReceivers> {
  const otlpPort = await freePort();
  await startServer(children, {
    name: "the OTLP receiver",
    core,
    command: [node, program("otlp-receiver", "telemetry"), String(otlpPort)],
    port: otlpPort,
    logFile: join(folder, "otlp-receiver.log"),
  });
  const kafka = await startKafka(folder);
  if ("missing" in kafka)
    return {
      otlpPort,
      kafkaBroker: undefined,
      missing: { kafka: kafka.missing },
      stop: () => Promise.resolve(),
    };
  return { otlpPort, kafkaBroker: kafka.nodes[0]?.address, missing: {}, stop: () => kafka.stop() };
}

/** Starts a broker with the topics, or resolves with the reason why that cannot be. */
async function startKafka(folder: string): Promise<KafkaCluster | { readonly missing: string }> {
  const artifacts = await findKafka();
  if ("missing" in artifacts) return artifacts;
  let cluster: KafkaCluster | undefined;
  try {
    cluster = await startCluster(artifacts, folder);
    await createTopics(cluster.nodes[0]?.address ?? "");
    return cluster;
  } catch (error) {
    await cluster?.stop();
    return { missing: error instanceof Error ? error.message : String(error) };
  }
}

async function createTopics(broker: string): Promise<void> {
  const client = new kafkajs.Kafka({ brokers: [broker], logLevel: kafkajs.logLevel.NOTHING });
  const admin = client.admin();
  await admin.connect();
  try {
    await admin.createTopics({
      waitForLeaders: true,
      topics: TOPICS.map((topic) => ({ topic, numPartitions: PARTITIONS, replicationFactor: 1 })),
    });
  } finally {
    await admin.disconnect();
  }
}
