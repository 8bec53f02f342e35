// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { execFile } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { freePort } from "../machine/free-port.ts";
import { accepts } from "../machine/server.ts";
import { type ServerProcess, startServerProcess } from "../machine/server-process.ts";
import type { KafkaArtifacts } from "./artifacts.ts";

/** One node of a Kafka cluster, a process of its own. */
export interface KafkaNode {
  /** `host:port` of its listener without a password. */
  readonly address: string;
  /** `host:port` of its listener with SASL. */
  readonly saslAddress: string;
  /** `host:port` of its listener with TLS, when the cluster has a key file. */
  readonly tlsAddress: string;
  /** `host:port` of each listener with an advertised port, in the order of `advertisedPorts`. */
  readonly behindAddresses: readonly string[];
  /** Kills the process at once, as a crash would; its data stay. */
  kill(): Promise<void>;
  /** Starts the process again on the same ports; resolves when it accepts connections. */
  restart(): Promise<void>;
  /** Suspends the process: connections stay open and get no answer. */
  pause(): void;
  resume(): void;
}

/** A cluster on the loopback address: the first node is its controller and a broker, the others are brokers. */
export interface KafkaCluster {
  readonly nodes: readonly KafkaNode[];
  /** Ends all processes; their data stay. Idempotent. */
  stop(): Promise<void>;
}

export interface ClusterOptions {
  /** Number of nodes; default 1. */
  readonly nodes?: number;
  /**
   * Ports of servers in front of a cluster of one node. Each has a listener of its own behind it, which tells its clients this port,
   * so that every connection comes by the server in front.
   */
  readonly advertisedPorts?: readonly number[];
  /** A PEM file with the private key and the certificate of the listener with TLS; without it, nodes have no such listener. */
  readonly keyFile?: string;
}

/** The user of the listener with SASL, for every mechanism. */
export const KAFKA_USER = { username: "ada", password: "s3cret" };

const HOST = "127.0.0.1";
const CLUSTER_ID = "5L6g3nShT-eMCtK--X86sw";
/** A JVM on a busy machine; usually five seconds. */
const START_DEADLINE_MS = 45_000;
const JVM = ["-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"];

/**
 * Starts brokers whose data are below the folder, which the caller removes after `stop`. They inherit the cores of this
 * process.
 */
export async function startCluster(
  artifacts: KafkaArtifacts,
  folder: string,
  { nodes: count = 1, advertisedPorts = [], keyFile }: ClusterOptions = {},
): Promise<KafkaCluster> {
  const controllerPort = await freePort();
  const nodes: (KafkaNode & { readonly stop: () => Promise<void> })[] = [];
  const stop = async () => {
    await Promise.all(nodes.map((node) => node.stop()));
  };
  try {
    for (let id = 1; id <= count; id++)
      nodes.push(await createNode(artifacts, { id, folder, controllerPort, advertisedPorts, keyFile }));
    await Promise.all(nodes.map((node) => node.restart()));
    return { nodes, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

interface NodePlace {
  readonly id: number;
  readonly folder: string;
  readonly controllerPort: number;
  readonly advertisedPorts: readonly number[];
  readonly keyFile: string | undefined;
}

async function createNode({ java, classPath }: KafkaArtifacts, place: NodePlace) {
  const { id, folder, advertisedPorts } = place;
  const [port, saslPort, tlsPort] = [await freePort(), await freePort(), await freePort()];
  const behind: Behind[] = [];
  for (const advertised of advertisedPorts) behind.push({ port: await freePort(), advertised });
  const properties = join(folder, `${id}.properties`);
  writeFileSync(
    properties,
    propertiesOf({ ...place, port, saslPort, tlsPort, behind, data: join(folder, `${id}`) }),
  );
  const users = ["SCRAM-SHA-256", "SCRAM-SHA-512"].flatMap((mechanism) => [
    "--add-scram",
    `${mechanism}=[name=${KAFKA_USER.username},password=${KAFKA_USER.password}]`,
  ]);
  const jvm = [...JVM, "-cp", classPath];
  await promisify(execFile)(
    java,
    [...jvm, "kafka.tools.StorageTool", "format", "-t", CLUSTER_ID, "-c", properties, ...users],
    { timeout: START_DEADLINE_MS },
  );
  let server: ServerProcess | undefined;
  const kill = async (): Promise<void> => await server?.kill();
  return {
    address: `${HOST}:${port}`,
    saslAddress: `${HOST}:${saslPort}`,
    tlsAddress: `${HOST}:${tlsPort}`,
    behindAddresses: behind.map((listener) => `${HOST}:${listener.port}`),
    kill,
    restart: async () => {
      await kill();
      server = await startServerProcess({
        name: "Kafka",
        command: [java, ...jvm, "kafka.Kafka", properties],
        // A broker accepts connections only after it has caught up with the controller.
        isReady: () => accepts(port),
        startDeadlineMs: START_DEADLINE_MS,
      });
    },
    pause: () => server?.pause(),
    resume: () => server?.resume(),
    stop: kill,
  };
}

/** A listener behind another server. */
interface Behind {
  readonly port: number;
  /** The other server's port. */
  readonly advertised: number;
}

interface NodeSettings extends Omit<NodePlace, "folder" | "advertisedPorts"> {
  readonly port: number;
  readonly saslPort: number;
  readonly tlsPort: number;
  readonly behind: readonly Behind[];
  readonly data: string;
}

interface Listener {
  readonly name: string;
  readonly protocol: string;
  readonly port: number;
  /** The port that clients are told; undefined for a listener that is no client's. */
  readonly advertised: number | undefined;
}

function propertiesOf(settings: NodeSettings): string {
  const { id, port, saslPort, tlsPort, behind, controllerPort, keyFile, data } = settings;
  const listener = (
    name: string,
    own: number,
    advertised: number | undefined = own,
    protocol = name,
  ): Listener => ({
    name,
    protocol,
    port: own,
    advertised,
  });
  const isController = id === 1;
  const listeners: readonly Listener[] = [
    listener("PLAINTEXT", port),
    listener("SASL_PLAINTEXT", saslPort),
    ...behind.map((own, index) => listener(`BEHIND_${index}`, own.port, own.advertised, "PLAINTEXT")),
    ...(keyFile === undefined ? [] : [listener("SSL", tlsPort)]),
    ...(isController
      ? [{ name: "CONTROLLER", protocol: "PLAINTEXT", port: controllerPort, advertised: undefined }]
      : []),
  ];
  const { username, password } = KAFKA_USER;
  const login = `username="${username}" password="${password}"`;
  return Object.entries({
    "process.roles": isController ? "broker,controller" : "broker",
    "node.id": id,
    "controller.quorum.voters": `1@${HOST}:${controllerPort}`,
    "controller.listener.names": "CONTROLLER",
    listeners: listeners.map((one) => `${one.name}://${HOST}:${one.port}`).join(),
    "advertised.listeners": listeners
      .flatMap(({ name, advertised }) =>
        advertised === undefined ? [] : [`${name}://${HOST}:${advertised}`],
      )
      .join(),
    // Brokers need the controller's protocol, too.
    "listener.security.protocol.map": [
      ...new Set(["CONTROLLER:PLAINTEXT", ...listeners.map(({ name, protocol }) => `${name}:${protocol}`)]),
    ].join(),
    ...(keyFile === undefined ? {} : { "ssl.keystore.type": "PEM", "ssl.keystore.location": keyFile }),
    "sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512",
    "listener.name.sasl_plaintext.plain.sasl.jaas.config": `org.apache.kafka.common.security.plain.PlainLoginModule required ${login} user_${username}="${password}";`,
    "listener.name.sasl_plaintext.scram-sha-256.sasl.jaas.config":
      "org.apache.kafka.common.security.scram.ScramLoginModule required;",
    "listener.name.sasl_plaintext.scram-sha-512.sasl.jaas.config":
      "org.apache.kafka.common.security.scram.ScramLoginModule required;",
    "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
    "allow.everyone.if.no.acl.found": true,
    "log.dirs": data,
    "auto.create.topics.enable": false,
    "offsets.topic.replication.factor": 1,
    "offsets.topic.num.partitions": 1,
    "group.initial.rebalance.delay.ms": 0,
    // A killed broker must be missed, and a restarted one be back, within the test's time.
    "broker.session.timeout.ms": 3000,
    "broker.heartbeat.interval.ms": 500,
    // The files are sparse; their sizes are not written to the disk.
    "log.index.size.max.bytes": 1_048_576,
  })
    .map(([name, value]) => `${name}=${value}`)
    .join("\n");
}
