// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Logger } from "../../plugins/sdk/index.ts";

/** A record as Kafka stores it. The same instance always gives the same object, also in a later try. */
export interface KafkaRecord {
  readonly topic: string;
  /** Chooses the partition; records without a key go to any. */
  readonly key: string | undefined;
  readonly value: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Size of key, value and headers, in bytes of the protocol. */
  readonly bytes: number;
}

/**
 * The seam between the adapter and a library that speaks Kafka's protocol. It is low, because the adapter does what a library
 * must not do differently: choosing partitions, splitting batches, and deciding when the idempotent producer's numbers are reused.
 */
export interface KafkaDriver {
  /**
   * Whether a failed `produce` leaves the producer's sequence numbers as they were, so that a repetition with exactly the same
   * records is recognized by the broker.
   */
  readonly resumes: boolean;
  /** Asks the cluster for the topic's number of partitions. Never creates the topic. */
  partitionCount(topic: string): Promise<number>;
  /**
   * Sends records to one partition in one request; resolves when the configured acknowledgement has arrived. A driver may repeat
   * the request once, with the same sequence numbers.
   */
  produce(topic: string, partition: number, records: readonly KafkaRecord[]): Promise<void>;
  /** Destroys all connections at once. Calls under way reject, or never settle. */
  close(): void;
}

/** Everything that a driver needs to reach the cluster. */
export interface DriverSettings {
  /** `host:port`. */
  readonly brokers: readonly string[];
  readonly clientId: string;
  readonly acks: "all" | "leader" | "none";
  readonly idempotent: boolean;
  readonly compression: "none" | "gzip";
  readonly sasl: SaslSettings | undefined;
  /** undefined: no TLS. */
  readonly tls: { readonly ca: string | undefined } | undefined;
  readonly connectTimeoutMs: number;
  readonly requestTimeoutMs: number;
  readonly logger: Logger;
}

export interface SaslSettings {
  readonly mechanism: "plain" | "scram-sha-256" | "scram-sha-512";
  readonly username: string;
  readonly password: string;
}
