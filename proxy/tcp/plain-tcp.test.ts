// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import type { Socket } from "node:net";

import { cleanUp, deadPort, groupOf, later, tcpUpstream, until } from "../testing/harness.test.ts";
import { samplesOf, startTcp, TestClient } from "./tcp-rig.test.ts";

describe("a connection of plain TCP", () => {
  afterEach(cleanUp);

  const echo = (socket: Socket): void => void socket.on("data", (chunk) => socket.write(chunk));

  it("carries bytes both ways, and is counted", async () => {
    const { port } = await tcpUpstream(echo);
    const rig = await startTcp(port);
    const client = new TestClient(rig.port);
    client.socket.write("ping");
    await until(() => client.text === "ping");
    assert.deepEqual(await samplesOf(rig, "purser_proxy_tcp_connections_active", "listener"), { edge: 1 });
    client.socket.end();
    await client.closed;
    await until(() => rig.policy.reports.length === 2);
    assert.deepEqual(await samplesOf(rig, "purser_proxy_tcp_connections_closed_total", "reason"), {
      client: 1,
    });
    assert.deepEqual(await samplesOf(rig, "purser_proxy_tcp_connections_active", "listener"), { edge: 0 });
    assert.deepEqual(await samplesOf(rig, "purser_proxy_tcp_bytes_total", "direction"), {
      received: 4,
      sent: 4,
    });
  });

  it("lets a server speak first, to a client that says nothing", async () => {
    const { port } = await tcpUpstream((socket) => void socket.write("220 ready\r\n"));
    const rig = await startTcp(port);
    const client = new TestClient(rig.port);
    await until(() => client.text === "220 ready\r\n");
  });

  it("keeps one direction open when the other has ended, on either side", async () => {
    const { port } = await tcpUpstream((socket) => {
      socket.allowHalfOpen = true;
      socket.on("data", () => {});
      socket.on("end", () => setTimeout(() => socket.end("late answer"), 50));
    });
    const client = new TestClient((await startTcp(port)).port, true);
    client.socket.end("question");
    await client.closed;
    assert.equal(client.text, "late answer");
    assert.equal(client.error, undefined);

    const seen: string[] = [];
    const first = await tcpUpstream((socket) => {
      socket.allowHalfOpen = true;
      socket.on("data", (chunk) => void seen.push(String(chunk)));
      socket.end("goodbye");
    });
    const rig = await startTcp(first.port);
    const other = new TestClient(rig.port, true);
    await until(() => other.ended);
    other.socket.end("still here");
    await other.closed;
    await until(() => seen.join("") === "still here");
    await until(() => rig.policy.reports.length === 2);
    assert.deepEqual(await samplesOf(rig, "purser_proxy_tcp_connections_closed_total", "reason"), {
      upstream: 1,
    });
  });

  it("passes an upstream's reset on behind the bytes before it, and a client's", async () => {
    const { port } = await tcpUpstream((socket) => {
      socket.write("half of it");
      setTimeout(() => socket.resetAndDestroy(), 50);
    });
    const rig = await startTcp(port);
    const client = new TestClient(rig.port);
    await client.closed;
    assert.equal(client.text, "half of it");
    assert.equal(client.error, "ECONNRESET");

    let upstreamError = "";
    const quiet = await tcpUpstream((socket) => {
      socket.on("data", () => {});
      socket.on("error", ({ code }: NodeJS.ErrnoException) => (upstreamError = code ?? ""));
    });
    const other = await startTcp(quiet.port);
    const leaving = new TestClient(other.port);
    leaving.socket.write("x");
    await until(() => other.policy.reports.length === 1);
    await later(20);
    leaving.socket.resetAndDestroy();
    await until(() => upstreamError === "ECONNRESET");
    assert.deepEqual(await samplesOf(other, "purser_proxy_tcp_connections_closed_total", "reason"), {
      client_reset: 1,
    });
  });

  it("carries 100 MB to a slow reader in little memory", async function () {
    this.timeout(60_000);
    const total = 100 * 1024 * 1024;
    const chunk = Buffer.alloc(256 * 1024, "x");
    let written = 0;
    const { port } = await tcpUpstream((socket) => {
      const send = (): void => {
        while (written < total) {
          written += chunk.byteLength;
          if (!socket.write(chunk)) return void socket.once("drain", send);
        }
        socket.end();
      };
      send();
    });
    const rig = await startTcp(port);
    const client = new TestClient(rig.port);
    let read = 0;
    client.socket.removeAllListeners("data");
    client.socket.on("data", (bytes) => (read += bytes.byteLength));
    // A peer that reads nothing stops the upstream: only the buffers of the sockets fill.
    client.socket.pause();
    await later(300);
    const stalledAt = written;
    await later(300);
    assert.equal(written, stalledAt);
    assert.ok(written < 40 * 1024 * 1024, `${written} bytes were taken from the upstream`);
    const before = process.memoryUsage().arrayBuffers;
    client.socket.resume();
    await client.closed;
    assert.equal(read, total);
    const grown = process.memoryUsage().arrayBuffers - before;
    assert.ok(grown < 64 * 1024 * 1024, `${grown} bytes of buffers`);
  });

  it("leaves no connection to an endpoint behind when its client leaves early", async () => {
    const open = new Set<Socket>();
    const { port } = await tcpUpstream((socket) => {
      open.add(socket);
      socket.on("data", () => {});
      socket.on("close", () => open.delete(socket));
    });
    const rig = await startTcp(port);
    for (let index = 0; index < 30; index++) {
      const { socket } = new TestClient(rig.port);
      socket.on("connect", () => setTimeout(() => socket.resetAndDestroy(), index % 5));
    }
    await until(() => rig.policy.reports.filter((bag) => bag["response"] !== undefined).length === 30);
    await until(() => open.size === 0);
    assert.deepEqual(await samplesOf(rig, "purser_proxy_tcp_connections_active", "listener"), { edge: 0 });
  });

  it("is closed when no endpoint takes it, with Envoy's flags in the report", async () => {
    const rig = await startTcp(await deadPort());
    const client = new TestClient(rig.port);
    await client.closed;
    await until(() => rig.policy.reports.length === 1);
    const [report] = rig.policy.reports;
    assert.deepEqual(report?.["response"], { flags: "UF", code_details: "upstream_connect_failure" });
    assert.equal(groupOf(rig.policy.reports, "context")["proxy_error_code"], "PURSER_PROXY_UPSTREAM");
  });

  it("is closed when the endpoint has as many connections as it may have", async () => {
    const { port } = await tcpUpstream(echo);
    const rig = await startTcp(port, { maxConnectionsPerEndpoint: 1 });
    const first = new TestClient(rig.port);
    first.socket.write("a");
    await until(() => first.text === "a");
    const second = new TestClient(rig.port);
    await second.closed;
    assert.deepEqual(rig.policy.reports[1]?.["response"], { flags: "UO", code_details: "upstream_overflow" });
    first.socket.end();
    await first.closed;
    await until(() => rig.policy.reports.length === 3);
    const third = new TestClient(rig.port);
    third.socket.write("b");
    await until(() => third.text === "b");
  });

  it("is closed after its idle time, and after its longest duration", async () => {
    const { port } = await tcpUpstream(echo);
    const idle = await startTcp(port, { tcpIdleTimeoutMs: 150 });
    const client = new TestClient(idle.port);
    for (let round = 0; round < 4; round++) {
      client.socket.write("x");
      await later(80);
    }
    assert.equal(client.text, "xxxx");
    await client.closed;
    await until(() => idle.policy.reports.length === 2);
    assert.deepEqual(idle.policy.reports[1]?.["response"], { flags: "SI", code_details: "idle_timeout" });

    const short = await startTcp(port, { maxConnectionDurationMs: 100 });
    const busy = new TestClient(short.port);
    await busy.closed;
    await until(() => short.policy.reports.length === 2);
    assert.deepEqual(short.policy.reports[1]?.["response"], { flags: "DT", code_details: "max_duration" });
  });

  it("ejects an endpoint that refuses connections", async () => {
    const rig = await startTcp(await deadPort(), {
      outlierDetection: {
        consecutive5xxErrors: 2,
        consecutiveGatewayErrors: 0,
        splitExternalLocalOriginErrors: false,
        consecutiveLocalOriginFailures: 0,
        intervalMs: 10_000,
        baseEjectionMs: 30_000,
        maxEjectionPercent: 100,
        minHealthPercent: 0,
      },
    });
    for (let index = 0; index < 3; index++) await new TestClient(rig.port).closed;
    await until(() => rig.policy.reports.length === 3);
    const flags = rig.policy.reports.map((bag) => (bag["response"] as { flags: string }).flags);
    assert.deepEqual(flags, ["UF", "UF", "UH"]);
  });
});
