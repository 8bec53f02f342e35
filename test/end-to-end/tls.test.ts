// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { mkdirSync, renameSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:https";
import { type AddressInfo, createServer as createTcpServer } from "node:net";
import { join } from "node:path";

import { callTls, dialTls, run } from "../../proxy/transport/tls/tls-rig.test.ts";
import { type Authority, type Certificate, createAuthority } from "../support/certificates.ts";
import { eventually } from "../support/eventually.ts";
import { type MeshProgram, startMesh } from "../support/mesh-program.ts";
import { requireService } from "../support/services.ts";

// The built program: TLS to clients and to upstreams, with files that are renewed as Kubernetes renews a mounted Secret.

async function freePort(): Promise<number> {
  const server = createTcpServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

const documentsOf = (httpsPort: number, httpPort: number, folder: string) => `
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: { name: edge }
spec:
  servers:
    - port: { number: ${httpsPort}, name: https, protocol: HTTPS }
      hosts: [shop.example]
      tls: { mode: SIMPLE, credentialName: shop }
    - port: { number: ${httpsPort}, name: mutual, protocol: HTTPS }
      hosts: [mutual.example]
      tls: { mode: MUTUAL, credentialName: shop }
    - port: { number: ${httpPort}, name: http, protocol: HTTP }
      hosts: ["*"]
      tls: { httpsRedirect: true }
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: shop }
spec:
  hosts: ["*"]
  gateways: [edge]
  http: [{ route: [{ destination: { host: secure } }] }]
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: secure }
spec:
  host: secure
  trafficPolicy:
    tls: { mode: MUTUAL, clientCertificate: ${folder}/tls.crt, privateKey: ${folder}/tls.key, caCertificates: ${folder}/ca.crt, sni: localhost }
---
apiVersion: purser.dev/v1
kind: AccessPolicy
metadata: { name: clients }
spec:
  action: DENY
  when: connection.requested_server_name = "mutual.example" and $not(source.principal = "mesh.example/ns/shop/sa/web")
`;

describe("TLS in the built program", function () {
  this.timeout(60_000);
  let authority: Authority;
  let mesh: MeshProgram | undefined;
  let stopUpstream: () => void = () => {};

  before(function () {
    authority = createAuthority(this);
  });
  afterEach(async () => {
    await mesh?.stop();
    mesh = undefined;
    stopUpstream();
  });
  after(() => authority?.remove());

  /** A mounted Secret: the files are links into a folder that is a link itself, which an update replaces. */
  function mount(folder: string, { cert, key }: Certificate, version: number): void {
    const data = join(folder, `..v${version}`);
    mkdirSync(data, { recursive: true });
    writeFileSync(join(data, "tls.crt"), cert);
    writeFileSync(join(data, "tls.key"), key);
    writeFileSync(join(data, "ca.crt"), authority.cert);
    symlinkSync(`..v${version}`, join(folder, "..data-new"));
    renameSync(join(folder, "..data-new"), join(folder, "..data"));
    if (version > 1) return;
    for (const file of ["tls.crt", "tls.key", "ca.crt"])
      symlinkSync(join("..data", file), join(folder, file));
  }

  for (const workers of [1, 2]) {
    it(`serves, renews and resumes with ${workers} worker${workers === 1 ? "" : "s"}`, async function () {
      const curl = requireService(this, "curl");
      const [first, second, client] = ["first", "second", "client"].map((name) =>
        authority.sign(
          `${name}-${workers}`,
          name === "client" ? "URI:spiffe://mesh.example/ns/shop/sa/web" : undefined,
        ),
      ) as [Certificate, Certificate, Certificate];
      const credentials = join(first.certFile, "..", `credentials-${workers}`);
      const folder = join(credentials, "shop");
      mount(folder, first, 1);
      const upstream = createServer(
        { cert: first.cert, key: first.key, ca: authority.cert, requestCert: true, rejectUnauthorized: true },
        (_incoming, outgoing) => outgoing.end("secure"),
      );
      await new Promise<void>((resolve) => upstream.listen(0, "127.0.0.1", resolve));
      stopUpstream = () => {
        upstream.closeAllConnections();
        upstream.close();
      };
      const [httpsPort, httpPort] = [await freePort(), await freePort()];
      const entry = `
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: { name: secure }
spec:
  hosts: [secure]
  ports: [{ number: 80, name: http, protocol: HTTP }]
  resolution: STATIC
  endpoints: [{ address: 127.0.0.1, ports: { http: ${(upstream.address() as AddressInfo).port} } }]
---
`;
      mesh = await startMesh(entry + documentsOf(httpsPort, httpPort, folder), {
        flags: [`--credentials=${credentials}`, `--workers=${workers}`],
      });
      const ask = (host: string, ...more: readonly string[]) => {
        const resolve = [
          "--resolve",
          `${host}:${httpsPort}:127.0.0.1`,
          "--max-time",
          "5",
          "--cacert",
          authority.certFile,
        ];
        return run(curl, ["-sS", "-k", ...resolve, ...more, `https://${host}:${httpsPort}/`]);
      };
      assert.equal(await ask("shop.example"), "secure\nexit 0");
      const shown = ["--cert", client.certFile, "--key", client.keyFile];
      assert.equal(await ask("mutual.example", ...shown), "secure\nexit 0");
      assert.match(await ask("mutual.example"), /exit (35|52|55|56)$/);
      const wrong = ["--cert", first.certFile, "--key", first.keyFile];
      assert.match(await ask("mutual.example", ...wrong), /clients/);
      const redirect = await run(curl, [
        "-sSI",
        "-H",
        "host: shop.example",
        `http://127.0.0.1:${httpPort}/a?b`,
      ]);
      assert.match(redirect, /301[^]*location: https:\/\/shop\.example\/a\?b/i);

      const opened = await dialTls(httpsPort, "shop.example", { maxVersion: "TLSv1.2" });
      const session = opened.getSession();
      const resumed: unknown[] = [];
      for (let index = 0; index < 4; index++) {
        const reply = await callTls(httpsPort, "shop.example", { maxVersion: "TLSv1.2", session });
        resumed.push(typeof reply === "string" ? reply : reply.resumed);
      }
      assert.deepEqual(resumed, [true, true, true, true]);
      for (let version = 2; version <= 3; version++) {
        const wanted = version === 2 ? second : first;
        mount(folder, wanted, version);
        const name = /CN=(.*)/.exec(version === 2 ? `CN=second-${workers}` : `CN=first-${workers}`)?.[1];
        await eventually(async () => {
          for (let index = 0; index < 4; index++) {
            const reply = await callTls(httpsPort, "shop.example");
            assert.equal(
              typeof reply === "string" ? reply : `${reply.body} ${reply.server}`,
              `secure ${name}`,
            );
          }
        });
      }
      opened.destroy();
      const metrics = await (await fetch(`${mesh.admin}/stats/prometheus`)).text();
      assert.match(
        metrics,
        /purser_proxy_certificate_expiry_timestamp_seconds\{credential=".*shop\/tls\.crt"\} 1/,
      );
      assert.match(metrics, /purser_proxy_tls_handshakes_total\{listener="[^"]+",result="resumed"\} 4/);
    });
  }
});
