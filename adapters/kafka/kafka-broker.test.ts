// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import kafkajs, { type KafkaMessage } from "kafkajs";
import { Delivery } from "../../delivery/delivery.ts";
import {
  createRealTime,
  createTestContext,
  decisionInstance,
  logEntryInstance,
} from "../../plugins/sdk/testing/index.ts";
import {
  type AdapterHandler,
  type LogEntryInstance,
  PurserError,
  type ReportOutcome,
} from "../../plugins/sdk/index.ts";
import { type Authority, createAuthority } from "../../test/support/certificates.ts";
import { KAFKA_USER, type KafkaCluster, startKafka } from "../../test/support/kafka-broker.ts";
import { KafkaTopics } from "../../test/support/kafka-topics.ts";
import { kafka } from "./index.ts";
import { driverFault } from "./platformatic-requirement.ts";

// Real brokers, killed and suspended under load. The second driver runs where its version of Node is.

const DRIVERS = driverFault(process.version) === undefined ? ["kafkajs", "platformatic"] : ["kafkajs"];

const BATCH = 50;
const KEYS = 5;

describe("kafka with a cluster of two brokers", function () {
  this.timeout(180_000);
  let cluster: KafkaCluster;
  let authority: Authority;
  let topics: KafkaTopics;
  let made = 0;

  before(async function () {
    this.timeout(300_000);
    authority = createAuthority(this);
    cluster = await startKafka(this, { nodes: 2, keyFile: authority.sign("server").keyAndCertFile });
    topics = new KafkaTopics(cluster.nodes.map(({ address }) => address));
  });

  after(async () => {
    await cluster?.stop();
    authority?.remove();
  });

  /** Makes a topic of its own for a test. */
  async function createTopic({
    replicas = [[1], [2]],
    config = {},
  }: {
    readonly replicas?: readonly (readonly number[])[];
    readonly config?: Readonly<Record<string, string>>;
  } = {}): Promise<string> {
    const topic = `test.${made++}`;
    await topics.create(topic, { replicas, config });
    return topic;
  }

  for (const driver of DRIVERS) {
    describe(`and the driver ${driver}`, () => {
      let handler: AdapterHandler | undefined;

      afterEach(async () => {
        await handler?.close();
        handler = undefined;
      });

      const build = (config: Readonly<Record<string, unknown>>): AdapterHandler => {
        const brokers = config["brokers"] ?? cluster.nodes.map(({ address }) => address);
        const context = createTestContext(kafka, { driver, ...config, brokers }, { time: createRealTime() });
        return (handler = kafka.build(context));
      };

      const send = async (entries: readonly LogEntryInstance[]): Promise<ReportOutcome> =>
        await handler?.logentry?.(entries, { signal: AbortSignal.timeout(10_000) });

      it("delivers keys, headers and JSON", async () => {
        const topic = await createTopic();
        build({
          topic,
          key: "variables.user",
          headers: { path: "variables.path", absent: "variables.no" },
          compression: "gzip",
        });
        const entries = ["ada", "שָׁלוֹם", undefined].map((user) =>
          logEntryInstance({ variables: { user, path: "/ü" } }),
        );
        assert.equal(await send(entries), undefined);
        const messages = await topics.read(topic);
        assert.deepEqual(
          new Set(messages.map(({ key }) => key?.toString())),
          new Set(["ada", "שָׁלוֹם", undefined]),
        );
        const ada = messages.find(({ key }) => key?.toString() === "ada");
        assert.deepEqual(ada?.headers, { path: Buffer.from("/ü") });
        assert.deepEqual(JSON.parse(ada?.value?.toString() ?? ""), entries[0]);
      });

      it("delivers CloudEvents in binary and structured form, with the same id when repeated", async () => {
        for (const format of ["cloudevents-binary", "cloudevents-structured"]) {
          const topic = await createTopic();
          build({ topic, format });
          const entry = logEntryInstance();
          await send([entry]);
          await send([entry]);
          const events = (await topics.read(topic)).map(({ headers = {}, value }) => {
            const text = Object.fromEntries(
              Object.entries(headers).map(([name, header]) => [name, String(header)]),
            );
            const body = JSON.parse(value?.toString() ?? "") as Record<string, unknown>;
            if (format === "cloudevents-structured")
              return { ...body, type_of_content: text["content-type"] };
            const attributes = Object.entries(text).filter(([name]) => name.startsWith("ce_"));
            return {
              ...Object.fromEntries(attributes.map(([name, header]) => [name.slice(3), header])),
              datacontenttype: text["content-type"],
              data: body,
            };
          }) as Record<string, unknown>[];
          assert.equal(events.length, 2);
          assert.equal(events[0]?.["id"], events[1]?.["id"]);
          const {
            id,
            type_of_content: contentType = "application/cloudevents+json; charset=UTF-8",
            ...event
          } = events[0] ?? {};
          assert.match(String(id), /^[0-9a-f-]{36}$/);
          assert.equal(contentType, "application/cloudevents+json; charset=UTF-8");
          assert.deepEqual(event, {
            specversion: "1.0",
            source: "/purser/test",
            type: "dev.purser.logentry.v1",
            subject: "access-log",
            time: "2026-01-01T00:00:00.000Z",
            datacontenttype: "application/json",
            data: entry,
          });
          await handler?.close();
        }
      });

      it("delivers decisions without credentials", async () => {
        const topic = await createTopic();
        build({ topic, redact: ["request.headers.x-user"], key: "bag.request.id" });
        const headers = { authorization: "Bearer s3cret", "x-user": "s3cret", accept: "*/*" };
        const instance = decisionInstance({ bag: { request: { id: "a1", headers } } });
        await handler?.decision?.([instance], { signal: AbortSignal.timeout(10_000) });
        const [message] = await topics.read(topic);
        assert.doesNotMatch(message?.value?.toString() ?? "", /s3cret/);
        assert.match(message?.value?.toString() ?? "", /"accept":"\*\/\*"/);
        assert.equal(message?.key?.toString(), "a1");
      });

      for (const mechanism of ["plain", "scram-sha-256", "scram-sha-512"]) {
        it(`logs in with ${mechanism}, and fails for good with a wrong password`, async () => {
          const topic = await createTopic();
          const brokers = cluster.nodes.map(({ saslAddress }) => saslAddress);
          build({ topic, brokers, sasl: { mechanism, ...KAFKA_USER } });
          assert.equal(await send([logEntryInstance()]), undefined);
          await handler?.close();
          build({ topic, brokers, sasl: { mechanism, ...KAFKA_USER, password: "wrong" } });
          await assert.rejects(send([logEntryInstance()]), (error: PurserError) => {
            assert.deepEqual([error.code, error.retryable], ["PURSER_HANDLER_FAILED", false], error.message);
            assert.doesNotMatch(error.message, /wrong/);
            return true;
          });
        });
      }

      it("speaks TLS, and sends nothing to brokers of an authority that it does not trust", async function () {
        const topic = await createTopic();
        const brokers = cluster.nodes.map(({ tlsAddress }) => tlsAddress);
        const other = createAuthority(this);
        try {
          build({ topic, brokers, tls: { enabled: true, ca: authority.cert } });
          assert.equal(await send([logEntryInstance()]), undefined);
          await handler?.close();
          for (const tls of [{ enabled: true, ca: other.cert }, { enabled: true }]) {
            build({ topic, brokers, tls });
            await assert.rejects(send([logEntryInstance()]), {
              code: "PURSER_HANDLER_FAILED",
              message: /certificate/,
            });
            await handler?.close();
          }
          // A listener without TLS answers a greeting of TLS with nothing.
          build({ topic, tls: { enabled: true, ca: authority.cert } });
          await assert.rejects(send([logEntryInstance()]), { retryable: true });
        } finally {
          other.remove();
        }
        assert.equal((await topics.read(topic)).length, 1);
      });

      it("fails for good for a topic that does not exist, and delivers the rest of the batch", async () => {
        const topic = await createTopic();
        build({ topic: "{name}" });
        assert.deepEqual(
          await refusals(send([topic, "no-such-topic", topic].map((name) => logEntryInstance({ name })))),
          [[1, "PURSER_HANDLER_FAILED", false]],
        );
        assert.equal((await topics.read(topic)).length, 2);
        await assert.rejects(send([logEntryInstance({ name: "no-such-topic" })]), { retryable: false });
      });

      it("fails for good for a topic that it may not write to", async () => {
        const [topic, open] = [await createTopic(), await createTopic()];
        const acl = {
          resourceType: kafkajs.AclResourceTypes.TOPIC,
          resourceName: topic,
          resourcePatternType: kafkajs.ResourcePatternTypes.LITERAL,
          principal: "User:*",
          host: "*",
        };
        const { ALLOW, DENY } = kafkajs.AclPermissionTypes;
        const { DESCRIBE, READ, WRITE } = kafkajs.AclOperationTypes;
        await topics.admin((admin) =>
          admin.createAcls({
            acl: [
              { ...acl, operation: WRITE, permissionType: DENY },
              { ...acl, operation: READ, permissionType: ALLOW },
              { ...acl, operation: DESCRIBE, permissionType: ALLOW },
            ],
          }),
        );
        build({ topic: "{name}" });
        assert.deepEqual(await refusals(send([topic, open].map((name) => logEntryInstance({ name })))), [
          [0, "PURSER_HANDLER_FAILED", false],
        ]);
        assert.equal((await topics.read(open)).length, 1);
      });

      it("refuses only the record that is too large, by its own limit and by the topic's", async () => {
        for (const [maxRecordBytes, limit] of [
          [1_500, "1000000"],
          [1_000_000, "1500"],
        ] as const) {
          const topic = await createTopic({ replicas: [[1]], config: { "max.message.bytes": limit } });
          build({ topic, maxRecordBytes });
          const entries = Array.from({ length: 9 }, (_, n) =>
            logEntryInstance({ variables: { n, text: n === 4 ? "x".repeat(2_000) : "" } }),
          );
          assert.deepEqual(await refusals(send(entries)), [[4, "PURSER_REQUEST_TOO_LARGE", false]]);
          assert.deepEqual(numbersOf(await topics.read(topic)), [0, 1, 2, 3, 5, 6, 7, 8]);
          await handler?.close();
        }
      });

      const underLoad = async (
        topic: string,
        trouble: () => Promise<void>,
        recover: () => Promise<unknown> = () => Promise.resolve(),
      ) => {
        build({ topic, key: "variables.user" });
        const time = createRealTime();
        const dropped: unknown[] = [];
        const delivery = new Delivery<LogEntryInstance>({
          settings: { batchSize: BATCH, lingerMs: 20, queueSize: 100_000, attempts: 100, timeoutMs: 5_000 },
          send: ({ items }, call) => handler?.logentry?.(items, call),
          onTimeout: () => new PurserError("PURSER_HANDLER_TIMEOUT", "late"),
          maxPauseMs: 500,
          ...time,
          random: Math.random,
          events: { dropped: (_batch, reason, error) => dropped.push(reason, error) },
        });
        let count = 0;
        const offering = setInterval(() => {
          for (let n = 0; n < 5; n++) {
            delivery.offer(logEntryInstance({ variables: { user: `user-${count % KEYS}`, n: count++ } }));
          }
        }, 5);
        try {
          await pause(1_000);
          await trouble();
          await pause(1_000);
        } finally {
          clearInterval(offering);
        }
        await delivery.close(30_000);
        assert.deepEqual(dropped, []);
        // A reader needs the broker with its group's offsets, which has no replica.
        await recover();
        const numbers = numbersOf(await topics.read(topic));
        const distinct = [...new Set(numbers)];
        assert.equal(distinct.length, count);
        for (let key = 0; key < KEYS; key++) {
          const own = distinct.filter((n) => n % KEYS === key);
          assert.deepEqual(
            own,
            own.toSorted((a, b) => a - b),
          );
        }
        return { count, repeated: numbers.length - count };
      };

      it("loses nothing and keeps the order of each key when a broker is killed and restarted", async () => {
        const topic = await createTopic();
        const { repeated } = await underLoad(topic, async () => {
          await cluster.nodes[1]?.kill();
          await pause(500);
          await cluster.nodes[1]?.restart();
        });
        assert.ok(repeated <= 4 * BATCH, `${repeated} records were repeated`);
      });

      it("loses nothing and keeps the order of each key when the leader moves", async () => {
        const topic = await createTopic({ replicas: [[2, 1]] });
        const { repeated } = await underLoad(
          topic,
          async () => {
            await cluster.nodes[1]?.kill();
            await pause(5_000);
          },
          async () => await cluster.nodes[1]?.restart(),
        );
        assert.ok(repeated <= 4 * BATCH, `${repeated} records were repeated`);
      });

      it("loses nothing and keeps the order of each key when a broker hangs for 5 s", async () => {
        const topic = await createTopic({ replicas: [[1], [1]] });
        const { repeated } = await underLoad(topic, async () => {
          cluster.nodes[0]?.pause();
          await pause(5_000);
          cluster.nodes[0]?.resume();
        });
        assert.ok(repeated <= 4 * BATCH, `${repeated} records were repeated`);
      });
    });
  }
});

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => void setTimeout(resolve, ms));
}

/** Position, code and retryable of each refused instance. */
async function refusals(outcome: Promise<ReportOutcome>): Promise<readonly unknown[]> {
  const { refused = [] } = (await outcome) ?? {};
  return refused.map(({ index, error }) => [
    index,
    (error as PurserError).code,
    (error as PurserError).retryable,
  ]);
}

/** The variables `n` of log entries. */
function numbersOf(messages: readonly KafkaMessage[]): readonly number[] {
  return messages.map(
    ({ value }) => (JSON.parse(value?.toString() ?? "") as LogEntryInstance).variables["n"] as number,
  );
}
