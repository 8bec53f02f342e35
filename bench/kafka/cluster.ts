// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { freePort } from "../machine/free-port.ts";
import { accepts } from "../machine/server.ts";
import type { KafkaArtifacts } from "./artifacts.ts";

/** One node of a Kafka cluster, a process of its own. */
export interface KafkaNode {
  /** `host:port` of its listener without a password. */
  readonly address: string;
  /** `host:port` of its listener with SASL. */
  readonly saslAddress: string;
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
  count: number,
): Promise<KafkaCluster> {
  const controllerPort = await freePort();
  const nodes: (KafkaNode & { readonly stop: () => Promise<void> })[] = [];
  const stop = async () => {
    await Promise.all(nodes.map((node) => node.stop()));
  };
  try {
    for (let id = 1; id <= count; id++)
      nodes.push(await createNode(artifacts, { id, folder, controllerPort }));
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
}

async function createNode({ java, classPath }: KafkaArtifacts, { id, folder, controllerPort }: NodePlace) {
  const [port, saslPort] = [await freePort(), await freePort()];
  const properties = join(folder, `${id}.properties`);
  writeFileSync(
    properties,
    propertiesOf({ id, port, saslPort, controllerPort, data: join(folder, `${id}`) }),
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
  let child: ChildProcess | undefined;
  const kill = async () => {
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, "exit");
    child.kill("SIGKILL");
    await exited;
  };
  return {
    address: `${HOST}:${port}`,
    saslAddress: `${HOST}:${saslPort}`,
    kill,
    restart: async () => {
      await kill();
      child = await launch(java, [...jvm, "kafka.Kafka", properties], port);
    },
    pause: () => void child?.kill("SIGSTOP"),
    resume: () => void child?.kill("SIGCONT"),
    stop: kill,
  };
}

async function launch(java: string, args: readonly string[], port: number): Promise<ChildProcess> {
  const child = spawn(java, args, { stdio: ["ignore", "pipe", "pipe"] });
  // A process that dies must not leave its brokers running.
  const onExit = () => void child.kill("SIGKILL");
  process.once("exit", onExit);
  child.once("exit", () => process.removeListener("exit", onExit));
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => (output = (output + chunk.toString()).slice(-4_000)));
  child.stderr.on("data", (chunk: Buffer) => (output = (output + chunk.toString()).slice(-4_000)));
  const endMs = performance.now() + START_DEADLINE_MS;
  // A broker accepts connections only after it has caught up with the controller.
  while (!(await accepts(port))) {
    if (child.exitCode !== null || child.signalCode !== null || performance.now() > endMs) {
      child.kill("SIGKILL");
      throw new Error(`Kafka did not start on port ${port}:\n${output}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return child;
}

interface NodeSettings {
  readonly id: number;
  readonly port: number;
  readonly saslPort: number;
  readonly controllerPort: number;
  readonly data: string;
}

function propertiesOf({ id, port, saslPort, controllerPort, data }: NodeSettings): string {
  const listeners = `PLAINTEXT://${HOST}:${port},SASL_PLAINTEXT://${HOST}:${saslPort}`;
  const isController = id === 1;
  const { username, password } = KAFKA_USER;
  const login = `username="${username}" password="${password}"`;
  return Object.entries({
    "process.roles": isController ? "broker,controller" : "broker",
    "node.id": id,
    "controller.quorum.voters": `1@${HOST}:${controllerPort}`,
    "controller.listener.names": "CONTROLLER",
    listeners: isController ? `${listeners},CONTROLLER://${HOST}:${controllerPort}` : listeners,
    "advertised.listeners": listeners,
    "listener.security.protocol.map":
      "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SASL_PLAINTEXT:SASL_PLAINTEXT",
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
