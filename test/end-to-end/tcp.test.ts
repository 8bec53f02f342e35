// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { connect, type Socket } from "node:net";

import { freePort } from "../../bench/machine/free-port.ts";
import { eventually } from "../support/eventually.ts";
import { type MeshFolder, meshFolder } from "../support/mesh-folder.ts";
import { type Program, runProgram } from "../support/program.ts";
import { type RedisServer, startRedis } from "../support/redis-server.ts";

// The built program in front of Redis: a Gateway of TCP, with policies about connections and a metric of their bytes.

const routesTo = (gatewayPort: number, redisPort: number) => `
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: { name: databases }
spec:
  servers:
    - port: { number: ${gatewayPort}, name: redis, protocol: TCP }
      hosts: ["*"]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: redis }
spec:
  hosts: ["*"]
  gateways: [databases]
  tcp: [{ route: [{ destination: { host: redis } }] }]
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: { name: redis }
spec:
  hosts: [redis]
  ports: [{ number: 6379, name: redis, protocol: REDIS }]
  location: MESH_INTERNAL
  resolution: STATIC
  endpoints: [{ address: 127.0.0.1, ports: { redis: ${redisPort} } }]
`;

const policiesDenying = (address: string) => `
apiVersion: purser.dev/v1
kind: AccessPolicy
metadata: { name: known-clients }
spec:
  action: DENY
  match: context.protocol = "tcp" and destination.service.name = "redis"
  when: source.ip = "${address}"
---
apiVersion: purser.dev/v1
kind: QuotaPolicy
metadata: { name: connections-at-a-time }
spec:
  match: context.protocol = "tcp"
  key: { client: source.ip }
  algorithm: concurrency
  limit: 2
  lease: 1s
---
apiVersion: purser.dev/v1
kind: Handler
metadata: { name: prometheus }
spec: { adapter: prometheus }
---
apiVersion: purser.dev/v1
kind: Metric
metadata: { name: redis_received_bytes }
spec:
  type: counter
  match: context.protocol = "tcp"
  value: connection.received.bytes
  labels: { service: destination.service.name }
  handlers: [prometheus]
---
apiVersion: purser.dev/v1
kind: Metric
metadata: { name: redis_connections_total }
spec:
  type: counter
  match: connection.event = "close"
  value: 1
  labels: { flags: response.flags, reason: response.code_details }
  handlers: [prometheus]
`;

/** A client of Redis on a loopback address of its own. */
class RedisClient {
  readonly socket: Socket;
  text = "";
  isClosed = false;

  constructor(port: number, localAddress: string) {
    this.socket = connect({ port, host: "127.0.0.1", localAddress });
    this.socket.on("data", (chunk) => (this.text += String(chunk)));
    this.socket.on("error", () => {});
    this.socket.on("close", () => (this.isClosed = true));
  }

  /** Sends the command and waits for its answer, or for the end of the connection. */
  async ask(command: string): Promise<string> {
    this.text = "";
    this.socket.write(`${command}\r\n`);
    await eventually(async () => assert.ok(this.text.endsWith("\r\n") || this.isClosed), { everyMs: 5 });
    return this.isClosed ? "closed" : this.text.trim();
  }
}

describe("TCP in the built program", function () {
  this.timeout(60_000);
  let redis: RedisServer;
  let folder: MeshFolder | undefined;
  let program: Program | undefined;
  const clients: RedisClient[] = [];

  before(async function () {
    redis = await startRedis(this);
  });
  afterEach(async () => {
    for (const { socket } of clients.splice(0)) socket.destroy();
    await program?.stop("SIGKILL");
    folder?.remove();
  });
  after(() => redis?.stop());

  for (const workers of [1, 2])
    it(`serves Redis under policies with ${workers} worker${workers === 1 ? "" : "s"}`, async () => {
      const port = await freePort();
      folder = meshFolder({
        "routes.yaml": routesTo(port, redis.port),
        "policies.yaml": policiesDenying("127.0.0.2"),
      });
      const ports = ["--edge-port=0", "--mixer-port=0", "--pilot-port=0", "--admin-port=0"];
      program = runProgram("cli/purser.js", [
        "run",
        "-c",
        folder.path,
        ...ports,
        "--log-level=warn",
        `--workers=${workers}`,
      ]);
      const [, edge] = await program.until(/edge proxy +(tcp:\S+)/);
      assert.match(edge ?? "", new RegExp(`^tcp://.*:${port}$`));
      const [, admin = ""] = await program.until(/proxy admin +(http:\/\/[^/\s]+)/);
      const [, mixer = ""] = await program.until(/mixer +(http:\/\/[^/\s]+)/);
      await program.until(/Policies/);
      const clientAt = (address: string): RedisClient => {
        const client = new RedisClient(port, address);
        clients.push(client);
        return client;
      };
      const first = clientAt("127.0.0.1");
      assert.equal(await first.ask("SET name value"), "+OK");
      assert.equal(await first.ask("GET name"), "$5\r\nvalue");
      assert.equal(await clientAt("127.0.0.2").ask("GET name"), "closed");
      // Two connections at a time for each client: a third one finds no place until one ends.
      const second = clientAt("127.0.0.1");
      assert.equal(await second.ask("PING"), "+PONG");
      assert.equal(await clientAt("127.0.0.1").ask("PING"), "closed");
      assert.equal(await clientAt("127.0.0.3").ask("PING"), "+PONG");
      second.socket.end();
      await eventually(async () => assert.equal(await clientAt("127.0.0.1").ask("PING"), "+PONG"), {
        everyMs: 200,
      });
      await eventually(async () => {
        const text = await (await fetch(`${mixer}/metrics`)).text();
        assert.match(text, /redis_received_bytes\{service="redis"\} [1-9]/);
        assert.match(text, /redis_connections_total\{flags="UAEX",reason="denied_by_policy"\} 1/);
        assert.match(text, /redis_connections_total\{flags="RL",reason="limited_by_quota"\} [1-9]/);
      });
      const counts = await (await fetch(`${admin}/stats/prometheus`)).text();
      assert.match(counts, /purser_proxy_tcp_connections_active\{listener="[^"]+"\} [1-9]/);
      // A change of the policies reaches the connections that are open.
      const changedMs = performance.now();
      folder.write("policies.yaml", policiesDenying("127.0.0.1"));
      await eventually(async () => assert.ok(first.isClosed));
      assert.ok(performance.now() - changedMs < 5_000);
      assert.equal(await clientAt("127.0.0.2").ask("PING"), "+PONG");
    });
});
