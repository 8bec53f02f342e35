// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findKafka } from "../../bench/kafka/artifacts.ts";
import { type ClusterOptions, type KafkaCluster, startCluster } from "../../bench/kafka/cluster.ts";
import { skipOrFail } from "./services.ts";

export { KAFKA_USER, type KafkaCluster } from "../../bench/kafka/cluster.ts";

/**
 * Starts Kafka with data of its own, which `stop` removes. Call it from a `before` hook with mocha's `this`: it skips the suite
 * when Kafka cannot be had.
 */
export async function startKafka(
  context: Mocha.Context,
  options: ClusterOptions = {},
): Promise<KafkaCluster> {
  const artifacts = await findKafka();
  if ("missing" in artifacts) return skipOrFail(context, artifacts.missing);
  const folder = mkdtempSync(join(tmpdir(), "purser-kafka-"));
  const removeFolder = () => rmSync(folder, { recursive: true, force: true });
  try {
    const cluster = await startCluster(artifacts, folder, options);
    return { nodes: cluster.nodes, stop: () => cluster.stop().finally(removeFolder) };
  } catch (error) {
    removeFolder();
    throw error;
  }
}
