// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { connect } from "node:net";
import { request } from "undici";
import { freePort } from "../../bench/machine/free-port.ts";
import { type Authority, createAuthority } from "../support/certificates.ts";
import { eventually } from "../support/eventually.ts";
import { load, type LoadResult } from "../support/load.ts";
import { type MeshFolder, meshFolder } from "../support/mesh-folder.ts";
import { type Program, purser } from "../support/program.ts";
import { startUpstream, type Upstream } from "../support/upstream.ts";

const POLICY = `apiVersion: purser.dev/v1
kind: AccessPolicy
metadata: { name: web-calls-shop, namespace: shop }
spec:
  match: destination.service.name = "shop" and context.reporter.kind = "inbound"
  action: ALLOW
  when: $not(connection.mtls) or source.principal = "mesh.example/ns/shop/sa/web" and source.namespace = "shop"
`;

const MESH = `apiVersion: purser.dev/v1
kind: MeshConfig
metadata: { name: mesh }
spec: { trustDomain: mesh.example }
`;

const peers = (mode: string): string => `apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: { name: default, namespace: shop }
spec: { mtls: { mode: ${mode} } }
`;

const service = (port: number): string => `apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: { name: shop, namespace: shop }
spec:
  hosts: [shop]
  ports: [{ number: 80, name: http, protocol: HTTP }]
  location: MESH_INTERNAL
  resolution: STATIC
  endpoints:
    - address: 127.0.0.1
      ports: { http: ${port} }
      labels: { purser.dev/sidecar: "true" }
      serviceAccount: shop
`;

/** Requests under load, by status; failures are requests without a response. */
const summaryOf = ({ sent, statuses, failures }: LoadResult) => ({
  sent,
  statuses: Object.fromEntries(statuses),
  failures: failures.length,
});

describe("mutual TLS between the sidecars of two workloads", function () {
  this.timeout(180_000);
  const programs: Program[] = [];
  let authority: Authority;
  let second: Authority;
  let folder: MeshFolder;
  let upstream: Upstream;
  let inboundPort: number;
  let outbound: string;
  const admins = new Map<string, number>();

  /** Writes a workload's files, each as one rename, as an agent does. */
  function writeCertificate(account: string, signer: Authority, name: string): void {
    const { cert, key } = signer.sign(name, `URI:spiffe://mesh.example/ns/shop/sa/${account}`);
    const path = `${folder.path}-${account}`;
    mkdirSync(path, { recursive: true });
    const texts = { "key.pem": key, "cert-chain.pem": cert, "root-cert.pem": authority.cert + second.cert };
    for (const [file, text] of Object.entries(texts)) {
      writeFileSync(join(path, `${file}.new`), text);
      renameSync(join(path, `${file}.new`), join(path, file));
    }
  }

  const certificatesOf = (account: string) => `--workload-certs=${folder.path}-${account}`;

  async function startSidecar(account: string, ...flags: readonly string[]): Promise<void> {
    const admin = await freePort();
    admins.set(account, admin);
    const program = purser(
      "proxy",
      "--role=sidecar",
      `--service=${account}`,
      "--namespace=shop",
      `--pilot=http://127.0.0.1:${ports.pilot}`,
      `--mixer=http://127.0.0.1:${ports.mixer}`,
      `--admin-port=${admin}`,
      "--log-level=warn",
      certificatesOf(account),
      ...flags,
    );
    programs.push(program);
    await program.until(/sidecar proxy listening/);
    await eventually(async () => {
      const { status } = await fetch(`http://127.0.0.1:${admin}/ready`);
      assert.equal(status, 200);
    });
  }

  const ports = { pilot: 0, mixer: 0 };

  before(async function () {
    authority = createAuthority(this);
    second = createAuthority(this);
    upstream = await startUpstream((incoming, outgoing) =>
      outgoing.end(String(incoming.headers["x-forwarded-client-cert"] ?? "plain")),
    );
    inboundPort = await freePort();
    folder = meshFolder({
      "mesh.yaml": MESH,
      "policy.yaml": POLICY,
      "service.yaml": service(inboundPort),
      "peers.yaml": peers("PERMISSIVE"),
    });
    writeCertificate("web", authority, "web-1");
    writeCertificate("shop", authority, "shop-1");
    ports.pilot = await freePort();
    ports.mixer = await freePort();
    const pilot = purser("pilot", "-c", folder.path, `--pilot-port=${ports.pilot}`, "--log-level=warn");
    const mixer = purser("mixer", "-c", folder.path, `--mixer-port=${ports.mixer}`, "--log-level=warn");
    programs.push(pilot, mixer);
    await Promise.all([pilot.until(/pilot listening/), mixer.until(/mixer listening/)]);
    const outboundPort = await freePort();
    outbound = `http://127.0.0.1:${outboundPort}`;
    const app = `--app=127.0.0.1:${upstream.port}`;
    await startSidecar(
      "shop",
      app,
      `--inbound-port=${inboundPort}`,
      `--outbound-port=${await freePort()}`,
      "--host=127.0.0.1",
    );
    await startSidecar("web", `--outbound-port=${outboundPort}`);
  });

  after(async () => {
    for (const program of programs) await program.stop("SIGKILL");
    await upstream?.close();
    for (const account of ["web", "shop"])
      rmSync(`${folder?.path}-${account}`, { recursive: true, force: true });
    folder?.remove();
    authority?.remove();
    second?.remove();
  });

  const metric = async (account: string, pattern: RegExp): Promise<number> => {
    const reply = await fetch(`http://127.0.0.1:${admins.get(account)}/stats/prometheus`);
    return Number(pattern.exec(await reply.text())?.[1] ?? 0);
  };

  /** The status line that a caller in plain text gets; empty when it is refused. */
  const plainText = (): Promise<string> =>
    new Promise((resolve) => {
      const socket = connect(inboundPort, "127.0.0.1");
      let received = "";
      socket.on("data", (chunk) => (received += String(chunk)));
      socket.on("error", () => {});
      socket.on("close", () => resolve(received.slice(0, 12)));
      socket.setTimeout(5_000, () => socket.destroy());
      socket.write("GET / HTTP/1.1\r\nhost: shop\r\nconnection: close\r\n\r\n");
    });

  async function underLoad(change: () => Promise<void>): Promise<LoadResult> {
    let finish: (() => void) | undefined;
    const until = new Promise<void>((resolve) => (finish = resolve));
    const result = load({ origin: outbound, path: "/", until, concurrency: 8 });
    await change();
    finish?.();
    return result;
  }

  it("is spoken in mode PERMISSIVE, where plain text is answered as well", async () => {
    await eventually(async () => {
      const { body: reply } = await request(`${outbound}/`, { headers: { host: "shop" } });
      assert.match(await reply.text(), /URI=spiffe:\/\/mesh\.example\/ns\/shop\/sa\/web$/);
    });
    assert.equal(await plainText(), "HTTP/1.1 200");
  });

  for (const [from, to] of [
    ["PERMISSIVE", "STRICT"],
    ["STRICT", "DISABLE"],
    ["DISABLE", "STRICT"],
  ] as const) {
    it(`fails no request under load when ${from} becomes ${to}`, async () => {
      const result = await underLoad(async () => {
        folder.write("peers.yaml", peers(to));
        const wanted = to === "STRICT" ? "" : "HTTP/1.1 200";
        await eventually(
          async () => {
            assert.equal(await plainText(), wanted);
            if (to === "DISABLE")
              assert.equal(await metric("shop", /^purser_proxy_mtls_connections (\d+)/m), 0);
          },
          { deadlineMs: 30_000 },
        );
        await new Promise((resolve) => setTimeout(resolve, 1_000));
      });
      console.log(`      ${JSON.stringify(summaryOf(result))}`);
      assert.deepEqual([...result.statuses.keys()], [200]);
      assert.deepEqual(result.failures, []);
      assert.ok(result.sent > 100);
    });
  }

  it("refuses plain text then, counts it, and tells of it in the log", async () => {
    assert.equal(await plainText(), "");
    const refused = await metric(
      "shop",
      /^purser_proxy_tls_handshakes_total\{listener="inbound",result="not_tls"\} (\d+)/m,
    );
    assert.ok(refused > 0);
    assert.match(
      programs.map((program) => program.errors() + program.output()).join(""),
      /plain text was refused/,
    );
  });

  it("fails no request under load when certificates are renewed, by another authority of the bundle too", async () => {
    const before = await metric("web", /^purser_proxy_workload_certificate_expiry_timestamp_seconds (\S+)/m);
    assert.ok(before > 0);
    const result = await underLoad(async () => {
      for (let turn = 2; turn < 8; turn++) {
        for (const account of ["web", "shop"])
          writeCertificate(account, turn % 2 === 0 ? second : authority, `${account}-${turn}`);
        await new Promise((resolve) => setTimeout(resolve, 1_000));
      }
    });
    console.log(`      ${JSON.stringify(summaryOf(result))}`);
    assert.deepEqual([...result.statuses.keys()], [200]);
    assert.deepEqual(result.failures, []);
  });
});
