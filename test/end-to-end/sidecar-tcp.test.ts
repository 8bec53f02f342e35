// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { freePort } from "../../bench/machine/free-port.ts";
import { type Authority, createAuthority } from "../support/certificates.ts";
import { eventually } from "../support/eventually.ts";
import { type MeshFolder, meshFolder } from "../support/mesh-folder.ts";
import { type Program, purser } from "../support/program.ts";
import { type RedisServer, startRedis } from "../support/redis-server.ts";
import { requireService } from "../support/services.ts";

// The built program beside a client of TCP: listeners of a Sidecar's egress, which redis-cli and an echo's client call in
// the services' place.

const document = (kind: string, name: string, spec: object, api = "networking.istio.io/v1") =>
  `${JSON.stringify({ apiVersion: api, kind, metadata: { name, namespace: "shop" }, spec })}\n---\n`;

const policy = (name: string, spec: object) => document("AccessPolicy", name, spec, "purser.dev/v1");

/** A service whose port is the one that a sidecar listens on for it. */
const service = (name: string, port: number, target: number, workload: object = {}) =>
  document("ServiceEntry", name, {
    hosts: [name],
    ports: [{ number: port, name: "bytes", protocol: "TCP" }],
    location: "MESH_INTERNAL",
    resolution: "STATIC",
    endpoints: [{ address: "127.0.0.1", ports: { bytes: target }, ...workload }],
  });

const sidecar = (...egress: readonly object[]) => document("Sidecar", "web", { egress });

const listening = (port: number, name: string) => ({
  port: { number: port, protocol: "TCP" },
  captureMode: "NONE",
  hosts: [`./${name}`],
});

/** Set by the suite's `before`, which is skipped where redis-cli is not installed. */
let cli = "";

/** The output of redis-cli; "closed" when the server ends the connection without an answer. */
function redisCli(port: number, ...command: readonly string[]): Promise<string> {
  return new Promise((resolve) => {
    const args = ["-h", "127.0.0.1", "-p", String(port), ...command];
    execFile(cli, args, { timeout: 5_000 }, (_error, stdout, stderr) => {
      const text = `${stdout}${stderr}`.trim();
      resolve(/closed|reset/i.test(text) ? "closed" : text);
    });
  });
}

/** A client of the echo on one long connection. */
class EchoClient {
  readonly socket: Socket;
  text = "";
  isClosed = false;

  constructor(port: number) {
    this.socket = connect(port, "127.0.0.1");
    this.socket.on("data", (chunk) => (this.text += String(chunk)));
    this.socket.on("error", () => {});
    this.socket.on("close", () => (this.isClosed = true));
  }

  /** Sends the text and waits until it is back. */
  async echoes(text: string): Promise<void> {
    this.text = "";
    this.socket.write(text);
    await eventually(async () => assert.equal(this.text, text), { everyMs: 10 });
  }
}

/** Whether a connection to the port is accepted. */
const accepts = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.on("error", () => resolve(false));
    socket.on("connect", () => {
      socket.destroy();
      resolve(true);
    });
  });

/** The service of the caller, whose namespace its sidecar has. */
const WEB = document("ServiceEntry", "web", {
  hosts: ["web"],
  ports: [{ number: 80, name: "http", protocol: "HTTP" }],
  resolution: "DNS",
});

const METRIC = `apiVersion: purser.dev/v1
kind: Handler
metadata: { name: prometheus }
spec: { adapter: prometheus }
---
apiVersion: purser.dev/v1
kind: Metric
metadata: { name: closed_connections }
spec:
  type: counter
  match: connection.event = "close"
  value: 1
  labels:
    from: source.workload.name
    to: destination.service.name
    reporter: context.reporter.kind
    reason: response.code_details
  handlers: [prometheus]
---
`;

describe("a sidecar's listeners for TCP", function () {
  this.timeout(90_000);
  let redis: RedisServer;
  let echo: Server;
  let echoPort = 0;
  let folder: MeshFolder | undefined;
  const programs: Program[] = [];
  const clients: EchoClient[] = [];

  before(async function () {
    cli = requireService(this, "redis-cli");
    redis = await startRedis(this);
    echo = createServer((socket) => {
      socket.on("error", () => {});
      socket.pipe(socket);
    });
    echoPort = await freePort();
    await new Promise<void>((resolve) => echo.listen(echoPort, "127.0.0.1", resolve));
  });
  afterEach(async () => {
    for (const { socket } of clients.splice(0)) socket.destroy();
    for (const program of programs.splice(0)) await program.stop("SIGKILL");
    folder?.remove();
  });
  after(async () => {
    echo?.close();
    await redis?.stop();
  });

  it("serve redis-cli under policies, and open and close while others keep their connections", async () => {
    const [onRedis, onEcho, later] = [await freePort(), await freePort(), await freePort()];
    const refusing = (service: string) =>
      policy("refuse", {
        action: "DENY",
        match: 'context.protocol = "tcp" and source.workload.name = "web"',
        when: `destination.service.name = "${service}"`,
      });
    folder = meshFolder({
      "services.yaml":
        WEB +
        service("redis", onRedis, redis.port) +
        service("echo", onEcho, echoPort) +
        service("more", later, echoPort),
      "sidecar.yaml": sidecar(listening(onRedis, "redis"), listening(onEcho, "echo"), { hosts: ["./*"] }),
      "policies.yaml": refusing("nobody"),
      "metrics.yaml": METRIC,
    });
    const zero = ["--edge-port=0", "--mixer-port=0", "--pilot-port=0", "--admin-port=0"];
    const mesh = purser("run", "-c", folder.path, "--sidecar=web=0", ...zero, "--log-level=warn");
    programs.push(mesh);
    const [, listeners = ""] = await mesh.until(/sidecar of web +(.+)/);
    assert.match(listeners, new RegExp(`tcp://127\\.0\\.0\\.1:${onRedis}, tcp://127\\.0\\.0\\.1:${onEcho}`));
    const [, mixer = ""] = await mesh.until(/mixer +(http:\/\/[^/\s]+)/);
    await mesh.until(/Policies/);

    assert.equal(await redisCli(onRedis, "SET", "sidecar", "value"), "OK");
    assert.equal(await redisCli(onRedis, "GET", "sidecar"), "value");
    const client = new EchoClient(onEcho);
    clients.push(client);
    await client.echoes("hello");

    // Another listener opens, that of Redis closes, and the echo's connection goes on.
    folder.write(
      "sidecar.yaml",
      sidecar(listening(onEcho, "echo"), listening(later, "more"), { hosts: ["./*"] }),
    );
    await eventually(async () => assert.equal(await accepts(later), true));
    await eventually(async () => assert.equal(await accepts(onRedis), false));
    await client.echoes("still here");
    const second = new EchoClient(later);
    clients.push(second);
    await second.echoes("and here");

    // Redis again, and now its connections are refused, before Redis hears of them; those of the echo are not.
    folder.write(
      "sidecar.yaml",
      sidecar(listening(onEcho, "echo"), listening(onRedis, "redis"), { hosts: ["./*"] }),
    );
    folder.write("policies.yaml", refusing("redis"));
    await eventually(async () => assert.equal(await redisCli(onRedis, "GET", "sidecar"), "closed"));
    await client.echoes("not refused");
    // A change of the policies reaches the connections that are open.
    folder.write("policies.yaml", refusing("echo"));
    await eventually(async () => assert.equal(client.isClosed, true));
    await eventually(async () => assert.equal(await redisCli(onRedis, "GET", "sidecar"), "value"));
    await eventually(async () => {
      const text = await (await fetch(`${mixer}/metrics`)).text();
      assert.match(
        text,
        /closed_connections\{from="web",to="redis",reporter="outbound",reason="client"\} [2-9]/,
      );
      assert.match(
        text,
        /closed_connections\{from="web",to="redis",reporter="outbound",reason="denied_by_policy"\} [1-9]/,
      );
      assert.match(
        text,
        /closed_connections\{from="web",to="echo",reporter="outbound",reason="refused_by_changed_policy"\} 1/,
      );
    });
  });

  it("say in a log that a new port is taken, and serve the others", async () => {
    const onEcho = await freePort();
    folder = meshFolder({
      "services.yaml": WEB + service("echo", onEcho, echoPort) + service("taken", echoPort, echoPort),
      "sidecar.yaml": sidecar(listening(onEcho, "echo")),
    });
    const zero = ["--edge-port=0", "--mixer-port=0", "--pilot-port=0", "--admin-port=0"];
    const mesh = purser("run", "-c", folder.path, "--sidecar=web=0", ...zero, "--log-level=warn");
    programs.push(mesh);
    await mesh.until(/Policies/);
    const client = new EchoClient(onEcho);
    clients.push(client);
    await client.echoes("before");
    folder.write("sidecar.yaml", sidecar(listening(echoPort, "taken"), listening(onEcho, "echo")));
    await eventually(async () =>
      assert.match(
        mesh.output() + mesh.errors(),
        new RegExp(`127\\.0\\.0\\.1:${echoPort} of the egress of a Sidecar is taken by process`),
      ),
    );
    await client.echoes("after");
  });

  describe("with mutual TLS", () => {
    let authority: Authority;
    const certificatesOf = (account: string) => `--workload-certs=${folder?.path}-${account}`;

    before(function () {
      authority = createAuthority(this);
    });
    afterEach(() => {
      for (const account of ["web", "redis"])
        rmSync(`${folder?.path}-${account}`, { recursive: true, force: true });
    });
    after(() => authority?.remove());

    it("reach Redis behind a sidecar that takes no plain text, as the workload that they are", async () => {
      const [onRedis, inbound, pilotPort, mixerPort] = [
        await freePort(),
        await freePort(),
        await freePort(),
        await freePort(),
      ];
      const allowing = (account: string) =>
        policy("callers", {
          action: "ALLOW",
          match: 'destination.service.name = "redis" and context.reporter.kind = "inbound"',
          when: `source.principal = "mesh.example/ns/shop/sa/${account}"`,
        });
      folder = meshFolder({
        "services.yaml": service("redis", onRedis, inbound, {
          labels: { "purser.dev/sidecar": "true" },
          serviceAccount: "redis",
        }),
        "sidecar.yaml": document("Sidecar", "web", {
          workloadSelector: { labels: { app: "web" } },
          egress: [listening(onRedis, "redis")],
        }),
        "peers.yaml": document(
          "PeerAuthentication",
          "default",
          { mtls: { mode: "STRICT" } },
          "security.istio.io/v1",
        ),
        "mesh.yaml": document("MeshConfig", "mesh", { trustDomain: "mesh.example" }, "purser.dev/v1"),
        "policies.yaml": allowing("web"),
      });
      for (const account of ["web", "redis"]) {
        const { cert, key } = authority.sign(account, `URI:spiffe://mesh.example/ns/shop/sa/${account}`);
        const path = `${folder.path}-${account}`;
        mkdirSync(path, { recursive: true });
        const files = { "key.pem": key, "cert-chain.pem": cert, "root-cert.pem": authority.cert };
        for (const [file, text] of Object.entries(files)) writeFileSync(join(path, file), text);
      }
      const { path } = folder;
      const pilot = purser("pilot", "-c", path, `--pilot-port=${pilotPort}`, "--log-level=warn");
      const mixer = purser("mixer", "-c", path, `--mixer-port=${mixerPort}`, "--log-level=warn");
      programs.push(pilot, mixer);
      await Promise.all([pilot.until(/pilot listening/), mixer.until(/mixer listening/)]);
      const control = [`--pilot=http://127.0.0.1:${pilotPort}`, `--mixer=http://127.0.0.1:${mixerPort}`];
      const common = [
        ...control,
        "--namespace=shop",
        "--admin-port=0",
        "--outbound-port=0",
        "--log-level=warn",
      ];
      const app = [`--app=127.0.0.1:${redis.port}`, `--inbound-port=${inbound}`, "--host=127.0.0.1"];
      const ofRedis = [...common, ...app, "--service=redis", certificatesOf("redis")];
      const ofWeb = [...common, "--label=app=web", "--service=web", certificatesOf("web")];
      for (const flags of [ofRedis, ofWeb]) {
        const proxy = purser("proxy", "--role=sidecar", ...flags);
        programs.push(proxy);
        await proxy.until(/sidecar proxy listening/);
      }
      await eventually(async () => assert.equal(await redisCli(onRedis, "PING"), "PONG"));
      assert.equal(await redisCli(inbound, "PING"), "closed");
      folder.write("policies.yaml", allowing("other"));
      await eventually(async () => assert.equal(await redisCli(onRedis, "PING"), "closed"));
    });
  });
});
