// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { Agent, type ClientRequest, type IncomingMessage, request } from "node:http";
import { once } from "node:events";
import { connect } from "node:net";
import { eventually } from "../support/eventually.ts";
import { type MeshProgram, startMesh } from "../support/mesh-program.ts";
import { freePort } from "../../bench/machine/free-port.ts";

// Clients send requests in a loop over keep-alive connections while a listener goes away: no request fails.

const CLIENTS = 16;
/** Longest pause of a client between two requests, so that connections are idle, busy and in between. */
const MAX_PAUSE_MS = 60;
const BEFORE_MS = 400;
const DEADLINE_MS = 8_000;

const gateway = (port: number): string => `apiVersion: networking.istio.io/v1
kind: Gateway
metadata: { name: edge }
spec:
  servers: [{ port: { number: ${port}, name: http, protocol: HTTP }, hosts: ["*"] }]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: all }
spec:
  hosts: ["*"]
  gateways: [edge]
  http: [{ route: [{ destination: { host: shop } }] }]
---
apiVersion: purser.dev/v1
kind: AccessPolicy
metadata: { name: none }
spec: { action: DENY, when: 'request.method = "DELETE"' }
`;

interface Client {
  answered: number;
  /** Errors of requests that were sent or might have been. */
  readonly failures: string[];
}

const pause = (durationMs: number): Promise<void> =>
  new Promise((resolve) => void setTimeout(resolve, durationMs));

/** Sends requests until a new connection is refused: the client would turn to another instance then. */
async function clientOf(port: number, number: number, client: Client): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const endMs = performance.now() + DEADLINE_MS;
  while (performance.now() < endMs) {
    const sent = request({ agent, host: "127.0.0.1", port, headers: { host: "shop" } }).end();
    try {
      const status = await statusOf(sent);
      if (status === 200) client.answered += 1;
      else client.failures.push(`status ${status}`);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ECONNREFUSED") break;
      client.failures.push(`${String(error)} (${sent.reusedSocket ? "kept-alive" : "new"} connection)`);
    }
    await pause((number * 7) % MAX_PAUSE_MS);
  }
  agent.destroy();
}

async function statusOf(sent: ClientRequest): Promise<number | undefined> {
  const [response] = (await once(sent, "response")) as [IncomingMessage];
  response.resume();
  await once(response, "end");
  return response.statusCode;
}

/** A connection that is idle after one request. `end` resolves with the way in which the proxy ends it. */
async function idleConnection(port: number): Promise<{ readonly end: Promise<string> }> {
  const socket = connect(port, "127.0.0.1");
  const end = new Promise<string>((resolve) => {
    socket.on("end", () => resolve("end"));
    socket.on("error", (error) => resolve(String(error)));
  });
  socket.write("GET / HTTP/1.1\r\nHost: shop\r\n\r\n");
  await once(socket, "data");
  return { end };
}

describe("a listener that goes away under load", function () {
  this.timeout(60_000);
  let mesh: MeshProgram;
  let port: number;

  beforeEach(async () => {
    port = await freePort();
    mesh = await startMesh(gateway(port));
  });
  afterEach(() => mesh?.stop());

  /** Runs the clients, takes the listener away, and waits until the clients are refused. */
  async function under(takeAway: () => unknown): Promise<void> {
    const client: Client = { answered: 0, failures: [] };
    const clients = Array.from({ length: CLIENTS }, (_, number) => clientOf(port, number, client));
    const idle = await idleConnection(port);
    await pause(BEFORE_MS);
    const before = client.answered;
    await takeAway();
    await Promise.all(clients);
    assert.deepEqual(client.failures, []);
    assert.ok(before > CLIENTS, `only ${before} requests before the end`);
    assert.equal(await idle.end, "end", "an idle connection is closed, not reset");
  }

  it("fails no request when a reload moves it", async () => {
    await under(async () => mesh.folder.write("policies.yaml", gateway(await freePort())));
  });

  it("fails no request when the proxy is drained, and the admin surface stays", async () => {
    await under(async () => {
      const { status } = await fetch(`${mesh.admin}/drain`, { method: "POST" });
      assert.equal(status, 202);
      const ready = await fetch(`${mesh.admin}/ready`);
      assert.deepEqual([ready.status, await ready.text()], [503, "draining\n"]);
    });
    await eventually(async () => {
      const metrics = await (await fetch(`${mesh.admin}/stats/prometheus`)).text();
      assert.match(metrics, /^purser_proxy_listeners_draining 0$/m);
      assert.match(metrics, /^purser_proxy_connection_events_total\{[^}]*event="drain_close"[^}]*\} 1$/m);
    });
    assert.equal((await fetch(`${mesh.admin}/drain`, { method: "POST" })).status, 202);
  });

  it("fails no request when the process is stopped", async () => {
    let exit: Promise<{ readonly code: number | null }> | undefined;
    await under(() => {
      exit = mesh.program.stop("SIGTERM");
    });
    assert.equal((await exit)?.code, 0, mesh.program.errors());
  });
});
