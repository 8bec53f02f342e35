// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { join } from "node:path";
import { request } from "undici";
import { eventually } from "../support/eventually.ts";
import { type KafkaCluster, startKafka } from "../support/kafka-broker.ts";
import { KafkaTopics } from "../support/kafka-topics.ts";
import { type MeshProgram, startMesh } from "../support/mesh-program.ts";
import { purser } from "../support/program.ts";

const TOPIC = "purser.decision";

const policies = (method: string): string => `apiVersion: purser.dev/v1
kind: AccessPolicy
metadata: { name: guarded }
spec: { action: DENY, when: 'request.method = "${method}"' }
`;

const kafkaDocuments = (broker: string): string => `apiVersion: purser.dev/v1
kind: Handler
metadata: { name: events }
spec:
  adapter: kafka
  config: { brokers: ["${broker}"] }
  delivery: { linger: 20ms }
---
kind: Rule
metadata: { name: decisions }
spec:
  instances: [{ name: decisions, template: decision }]
  actions: [{ handler: events, instances: [decisions] }]
`;

describe("decisions that a consumer of a topic stored", function () {
  this.timeout(120_000);
  let cluster: KafkaCluster;
  let mesh: MeshProgram;
  let topics: KafkaTopics;

  before(async function () {
    cluster = await startKafka(this);
    const [{ address } = { address: "" }] = cluster.nodes;
    topics = new KafkaTopics([address]);
    await topics.create(TOPIC);
    mesh = await startMesh(`${policies("DELETE")}---\n${kafkaDocuments(address)}`);
  });

  after(async () => {
    await mesh?.stop();
    await cluster?.stop();
  });

  it("are a log that purser replay reads", async () => {
    for (const method of ["GET", "GET", "POST", "DELETE"] as const) {
      const headers = { host: "shop", authorization: "Bearer s3cret" };
      const { statusCode, body } = await request(`${mesh.edge}/books`, { method, headers });
      await body.dump();
      assert.equal(statusCode, method === "DELETE" ? 403 : 200);
    }
    const stored = async (): Promise<readonly string[]> =>
      (await topics.read(TOPIC)).map(({ value }) => value?.toString() ?? "");
    await eventually(async () => assert.equal((await stored()).length, 4), {
      everyMs: 500,
      deadlineMs: 30_000,
    });
    const lines = await stored();
    assert.doesNotMatch(lines.join("\n"), /s3cret/);
    mesh.folder.write("topic/decisions.jsonl", `${lines.join("\n")}\n`);
    mesh.folder.write("candidate/policies.yaml", policies("POST"));
    const log = join(mesh.folder.path, "topic", "decisions.jsonl");
    const candidate = join(mesh.folder.path, "candidate");
    const flags = ["--json", "--strict", "--fail-on", "newly-denied"];
    const program = purser("replay", "--log", log, "--candidate", candidate, ...flags);
    const code = await program.ended();
    assert.deepEqual([program.errors(), code], ["", 1]);
    const { requests, changes } = JSON.parse(program.output()) as {
      readonly requests: { readonly observed: number };
      readonly changes: readonly { readonly change: string; readonly observed: number }[];
    };
    assert.equal(requests.observed, 4);
    const counts = Object.fromEntries(changes.map(({ change, observed }) => [change, observed]));
    assert.deepEqual([counts["newly-denied"], counts["newly-allowed"]], [1, 1]);
  });
});
