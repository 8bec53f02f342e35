// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { copyFileSync } from "node:fs";
import { Agent, fetch, request } from "undici";
import { freePort } from "../../bench/machine/free-port.ts";
import { type Authority, createAuthority } from "../support/certificates.ts";
import { eventually } from "../support/eventually.ts";
import { meshFolder, type MeshFolder, serviceEntry } from "../support/mesh-folder.ts";
import { type Program, purser } from "../support/program.ts";
import { startUpstream, type Upstream } from "../support/upstream.ts";

// Closes the control surfaces of a mesh of processes, by tokens and by mutual TLS, and renews both while requests pass.

const OLD = "old-token-of-the-mesh";
const NEW = "new-token-of-the-mesh";

const POLICIES = `apiVersion: purser.dev/v1
kind: AccessPolicy
metadata: { name: reads }
spec:
  action: ALLOW
  when: request.method = "GET"
`;

describe("closed control surfaces", function () {
  this.timeout(60_000);
  let upstream: Upstream;
  let folder: MeshFolder;
  let programs: Program[] = [];
  let authority: Authority;

  before(async function () {
    authority = createAuthority(this);
    upstream = await startUpstream();
  });
  after(async () => {
    authority.remove();
    await upstream.close();
  });
  beforeEach(() => {
    folder = meshFolder({ "mesh.yaml": serviceEntry("shop", upstream.port), "policies.yaml": POLICIES });
  });
  afterEach(async () => {
    await Promise.all(programs.map((program) => program.stop()));
    programs = [];
    folder.remove();
  });

  function start(...args: string[]): Program {
    const program = purser(...args);
    programs.push(program);
    return program;
  }

  async function statusOf(url: string, headers: Record<string, string> = {}): Promise<number> {
    // fetch does not send a Host of the caller's.
    const { statusCode, body } = await request(url, { headers });
    await body.dump();
    return statusCode;
  }

  /** Mixer, pilot and edge, each in a process of its own. */
  async function startMesh(scheme: "http" | "https", server: readonly string[], proxy: readonly string[]) {
    const [mixerPort, pilotPort, edgePort, adminPort] = [
      await freePort(),
      await freePort(),
      await freePort(),
      await freePort(),
    ];
    const [mixer, pilot] = [`${scheme}://127.0.0.1:${mixerPort}`, `${scheme}://127.0.0.1:${pilotPort}`];
    const servers = [
      start("mixer", "-c", folder.path, `--mixer-port=${mixerPort}`, ...server),
      start("pilot", "-c", folder.path, `--pilot-port=${pilotPort}`, ...server),
    ];
    await Promise.all(servers.map((program) => program.until(/listening/)));
    const edge = start(
      "proxy",
      "--role=edge",
      `--edge-port=${edgePort}`,
      `--admin-port=${adminPort}`,
      `--mixer=${mixer}`,
      `--pilot=${pilot}`,
      ...proxy,
    );
    const shop = `http://127.0.0.1:${edgePort}/`;
    const headers = { host: "shop" };
    return {
      mixer,
      pilot,
      edge,
      admin: `${scheme}://127.0.0.1:${adminPort}`,
      ask: () => statusOf(shop, headers),
    };
  }

  it("are reached by proxies and operators with a token, which changes while requests pass", async () => {
    folder.write("server-tokens", `${OLD}\n`);
    folder.write("client-token", `${OLD}\n`);
    const tokens = (name: string): string => `${folder.path}/${name}`;
    const mesh = await startMesh(
      "http",
      ["--control-token-file", tokens("server-tokens"), "--open-metrics"],
      ["--control-token-file", tokens("server-tokens"), "--token-file", tokens("client-token")],
    );
    await eventually(async () => assert.equal(await mesh.ask(), 200));
    for (const url of [`${mesh.mixer}/v1/config`, `${mesh.pilot}/v1/registry`, `${mesh.admin}/clusters`]) {
      assert.equal(await statusOf(url), 401, url);
      assert.equal(await statusOf(url, { authorization: `Bearer ${OLD}` }), 200, url);
    }
    for (const url of [`${mesh.mixer}/metrics`, `${mesh.mixer}/readyz`, `${mesh.admin}/ready`])
      assert.equal(await statusOf(url), 200, url);
    assert.equal(await statusOf(`${mesh.admin}/stats/prometheus`), 401);
    assert.equal(
      await statusOf(`${mesh.mixer}/auth/`, { host: "shop", authorization: `Bearer ${OLD}` }),
      401,
    );
    assert.equal(await statusOf(`${mesh.mixer}/auth/`, { host: "shop", "x-purser-token": OLD }), 200);

    const stranger = start("quotas", "list", "--mixer", mesh.mixer);
    assert.equal(await stranger.ended(), 2);
    const operator = start("quotas", "list", "--mixer", mesh.mixer, "--token-file", tokens("client-token"));
    assert.equal(await operator.ended(), 0);

    // Rotation: the servers take both, then the clients change, then the servers forget the old one.
    folder.write("server-tokens", `${NEW}\n${OLD}\n`);
    const registry = `${mesh.pilot}/v1/registry`;
    await eventually(async () =>
      assert.equal(await statusOf(registry, { authorization: `Bearer ${NEW}` }), 200),
    );
    folder.write("client-token", `${NEW}\n`);
    await eventually(async () =>
      assert.match(mesh.edge.errors(), /the tokens were read anew[\s\S]*the tokens were read anew/),
    );
    folder.write("server-tokens", `${NEW}\n`);
    await eventually(async () =>
      assert.equal(await statusOf(registry, { authorization: `Bearer ${OLD}` }), 401),
    );
    const before = mesh.edge.errors().length;
    folder.write("policies.yaml", POLICIES.replace('"GET"', '"PUT"'));
    await eventually(async () => assert.equal(await mesh.ask(), 403));
    assert.doesNotMatch(mesh.edge.errors().slice(before), /PURSER_UNAUTHENTICATED/);
    const logs = programs.map((program) => program.output() + program.errors()).join("");
    assert.ok(!logs.includes(OLD) && !logs.includes(NEW), "a token was logged");
  });

  it("tell a proxy without a token why it gets nothing, and stay closed", async () => {
    folder.write("tokens", OLD);
    const mesh = await startMesh("http", ["--control-token-file", `${folder.path}/tokens`], []);
    await eventually(async () => assert.match(mesh.edge.errors(), /PURSER_UNAUTHENTICATED/));
  });

  it("are reached over mutual TLS, with certificates that change while requests pass", async function () {
    const first = authority.sign("first");
    const second = authority.sign("second");
    const stranger = createAuthority(this);
    const foreign = stranger.sign("foreign");
    const [cert, key] = [`${folder.path}/node.crt`, `${folder.path}/node.key`];
    copyFileSync(first.certFile, cert);
    copyFileSync(first.keyFile, key);
    const files = [
      "--control-tls-cert",
      cert,
      "--control-tls-key",
      key,
      "--control-tls-ca",
      authority.certFile,
    ];
    const mesh = await startMesh("https", files, files);
    const agent = (client?: { readonly cert: string; readonly key: string }): Agent =>
      new Agent({ connect: { ca: authority.cert, ...client } });
    const status = async (url: string, client?: { readonly cert: string; readonly key: string }) => {
      const dispatcher = agent(client);
      try {
        return (await fetch(url, { dispatcher })).status;
      } finally {
        await dispatcher.destroy();
      }
    };
    await eventually(async () => assert.equal(await mesh.ask(), 200));
    for (const url of [`${mesh.mixer}/v1/config`, `${mesh.pilot}/v1/registry`, `${mesh.admin}/clusters`]) {
      assert.equal(await status(url), 401, url);
      assert.equal(await status(url, foreign), 401, url);
      assert.equal(await status(url, first), 200, url);
    }
    assert.equal(await status(`${mesh.mixer}/healthz`), 200);
    stranger.remove();

    const operator = start("quotas", "list", "--mixer", mesh.mixer, ...files);
    assert.equal(await operator.ended(), 0);

    copyFileSync(second.certFile, cert);
    copyFileSync(second.keyFile, key);
    const renewed = /control plane's certificates were read anew/;
    await eventually(async () => {
      for (const program of programs.slice(0, 3)) assert.match(program.errors(), renewed);
    });
    assert.equal(await status(`${mesh.mixer}/v1/config`, second), 200);
    folder.write("policies.yaml", POLICIES.replace('"GET"', '"PUT"'));
    await eventually(async () => assert.equal(await mesh.ask(), 403));
  });

  it("change the level of every worker's logs", async () => {
    const [mixer, pilot, admin] = [await freePort(), await freePort(), await freePort()];
    folder.write("tokens", OLD);
    const run = start(
      "run",
      "-c",
      folder.path,
      "--workers=2",
      "--edge-port=0",
      "--log-level=error",
      "--log-format=json",
      `--mixer-port=${mixer}`,
      `--pilot-port=${pilot}`,
      `--admin-port=${admin}`,
      "--control-token-file",
      `${folder.path}/tokens`,
    );
    const [, edge] = await run.until(/edge proxy +(http:\S+)/);
    await eventually(async () => assert.equal(await statusOf(`${edge}/`, { host: "shop" }), 200));
    const answer = await fetch(`http://127.0.0.1:${mixer}/v1/log-level`, {
      method: "PUT",
      body: '{"level":"info"}',
      headers: { "content-type": "application/json", authorization: `Bearer ${OLD}` },
    });
    assert.deepEqual(await answer.json(), { level: "info" });
    const audit = /"from":"error","to":"info","by":"127\.0\.0\.1"/;
    await eventually(async () => assert.match(run.errors(), audit));
    folder.write("policies.yaml", POLICIES.replace('"GET"', '"PUT"'));
    await eventually(async () => {
      for (const worker of [1, 2])
        assert.match(
          run.errors(),
          new RegExp(`"level":30,[^\n]*"worker":${worker},[^\n]*"the policies are known"`),
        );
    });
  });
});
