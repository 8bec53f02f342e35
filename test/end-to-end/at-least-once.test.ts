// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { request } from "undici";
import { eventually } from "../support/eventually.ts";
import { type SplitMesh, startSplitMesh } from "../support/split-mesh.ts";

const SDK = new URL("../../dist/plugins/sdk/index.js", import.meta.url).href;

const ADAPTER = `import { defineAdapter, Type } from "${SDK}";
export const collector = defineAdapter({
  name: "collector",
  description: "Posts log entries.",
  templates: ["logentry"],
  config: Type.Object({ url: Type.String() }),
  build: ({ config, http }) => ({
    logentry: async (entries, call) => void (await http.send({ url: config.url, json: entries }, call)),
    close() {},
  }),
});
`;

interface QueueStatus {
  readonly accepted: number;
  readonly delivered: number;
  readonly waiting: number;
  readonly dropped: Readonly<Record<string, number>>;
  readonly breaker: string;
  readonly lastError?: { readonly message: string };
}

describe("telemetry with at-least-once", function () {
  this.timeout(180_000);
  let folder: string;
  let server: Server;
  let mesh: SplitMesh;
  /** How often each request's entry arrived. */
  const seen = new Map<string, number>();
  let away = true;

  before(async () => {
    server = createServer((incoming, response) => {
      const chunks: Buffer[] = [];
      incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
      incoming.on("end", () => {
        if (away) return void response.writeHead(503).end();
        const entries = JSON.parse(Buffer.concat(chunks).toString()) as { variables: { id: string } }[];
        for (const { variables } of entries) seen.set(variables.id, (seen.get(variables.id) ?? 0) + 1);
        response.end();
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    folder = mkdtempSync(join(tmpdir(), "purser-spool-"));
    writeFileSync(join(folder, "collector.mjs"), ADAPTER);
    const documents = `apiVersion: purser.dev/v1
kind: Handler
metadata: { name: collected }
spec:
  adapter: collector
  from: ${join(folder, "collector.mjs")}
  config: { url: "http://127.0.0.1:${(server.address() as AddressInfo).port}/" }
  delivery:
    class: at-least-once
    queueSize: 50
    batchSize: 20
    linger: 50ms
    spool: { directory: "${join(folder, "spool")}" }
---
kind: LogEntry
metadata: { name: access }
spec: { variables: { id: "request.headers.\`x-id\`" }, handlers: [collected] }
`;
    mesh = await startSplitMesh({ documents, mixers: 1, edges: 1 });
  });

  after(async () => {
    await mesh?.stop();
    server.closeAllConnections();
    server.close();
    rmSync(folder, { recursive: true, force: true });
  });

  let next = 0;
  const send = async (count: number): Promise<void> => {
    for (let index = 0; index < count; index++) {
      const headers = { host: "shop", "x-id": `r${next++}` };
      const { statusCode, body } = await request(`${mesh.edges[0]}/`, { headers });
      await body.dump();
      assert.equal(statusCode, 200);
    }
  };
  const queue = async (): Promise<QueueStatus> => {
    const answer = await fetch(`${mesh.mixers[0]}/v1/handlers`);
    const { handlers } = (await answer.json()) as { handlers: { queues: QueueStatus[] }[] };
    return handlers[0]?.queues[0] as QueueStatus;
  };
  const arrived = async (least: number): Promise<void> => {
    await Promise.resolve();
    assert.ok(seen.size >= least, `${seen.size} of ${least} entries arrived`);
  };
  const balanced = async (): Promise<QueueStatus> => {
    const status = await queue();
    const dropped = Object.values(status.dropped).reduce((sum, items) => sum + items, 0);
    assert.equal(status.accepted, status.delivered + status.waiting + dropped, JSON.stringify(status));
    return status;
  };

  it("survives an outage of the backend and kills of the mixer: each entry arrives, few arrive twice", async () => {
    await eventually(() => send(1));
    await send(300);
    await eventually(async () => assert.equal((await balanced()).accepted, next));
    const before = await balanced();
    assert.deepEqual([before.delivered, before.dropped], [0, {}]);
    assert.match(before.lastError?.message ?? "", /the server answered 503/);
    await mesh.killMixer(0);
    await send(100);
    await mesh.startMixer(0);
    await eventually(async () => assert.equal((await balanced()).accepted, next));
    // The backend is back, and the mixer is killed in the middle of the delivery.
    away = false;
    await eventually(() => arrived(21));
    await mesh.killMixer(0);
    await mesh.startMixer(0);
    await send(50);
    await eventually(() => arrived(next));
    await eventually(async () => assert.equal((await balanced()).waiting, 0));
    const { dropped, accepted, delivered } = await balanced();
    assert.deepEqual([dropped, accepted, delivered], [{}, next, next]);
    const twice = [...seen.values()].filter((times) => times > 1).length;
    // One batch was under way: the next one waits until the ledger has the last one.
    assert.ok(twice <= 20, `${twice} entries arrived more than once`);
  });
});
