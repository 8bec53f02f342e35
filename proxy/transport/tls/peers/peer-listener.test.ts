// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { connect as connectPlain } from "node:net";

import { type Authority, type Certificate, createAuthority } from "../../../../test/support/certificates.ts";
import { proxyHeaderOf } from "../../../../test/support/proxy-header.ts";
import {
  call,
  cleanUp,
  EDGE,
  groupOf,
  httpUpstream,
  later,
  onCleanup,
  raw,
  type Rig,
  until,
} from "../../../testing/harness.test.ts";
import { callTls, dialTls, handshakesOf, run } from "../tls-rig.test.ts";
import {
  idOf,
  inboundListener,
  serverConfigOf,
  startServer,
  TestCredential,
  workloadOf,
} from "./peer-rig.test.ts";
import { requireService } from "../../../../test/support/services.ts";

const REQUEST = "GET / HTTP/1.1\r\nhost: cart\r\nconnection: close\r\n\r\n";

describe("a listener with mutual TLS", () => {
  let ours: Authority;
  let theirs: Authority;
  let server: Certificate;
  let web: Certificate;
  before(function () {
    ours = createAuthority(this);
    theirs = createAuthority(this);
    server = workloadOf(ours, "cart");
    web = workloadOf(ours, "web");
  });
  after(() => {
    ours?.remove();
    theirs?.remove();
  });
  afterEach(cleanUp);

  const credential = () => new TestCredential(server, ours.cert);

  async function start(mode: "strict" | "permissive" | undefined, listener = {}): Promise<Rig> {
    const { port } = await httpUpstream((incoming, outgoing) =>
      outgoing.end(String(incoming.headers["x-forwarded-client-cert"] ?? "none")),
    );
    return startServer(port, mode, credential(), { listener });
  }

  const byTls = async (port: number, certificate: Certificate | undefined, more = {}) => {
    const reply = await callTls(port, "cart", { cert: certificate?.cert, key: certificate?.key, ...more });
    return typeof reply === "string" ? "refused" : reply.status;
  };

  const inPlainText = async (port: number) => /^HTTP\/1.1 (\d+)/.exec(await raw(port, REQUEST))?.[1];

  for (const [mode, plain, tls] of [
    ["strict", undefined, 200],
    ["permissive", "200", 200],
    [undefined, "200", "refused"],
  ] as const) {
    it(`in mode ${mode ?? "disable"}: plain text ${plain ?? "refused"}, TLS ${tls}`, async () => {
      const { port } = await start(mode);
      assert.equal(await inPlainText(port), plain);
      assert.equal(await byTls(port, web), tls);
    });
  }

  it("reads a first byte that comes alone, and a request byte by byte", async () => {
    const { port } = await start("permissive");
    const parts = REQUEST.split("");
    const socket = connectPlain({ port, host: "127.0.0.1", noDelay: true });
    onCleanup(() => void socket.destroy());
    let received = "";
    socket.on("data", (chunk) => (received += String(chunk)));
    for (const part of parts) {
      socket.write(part);
      await later(0);
    }
    await until(() => received.startsWith("HTTP/1.1 200"));
    const hello = connectPlain({ port, host: "127.0.0.1", noDelay: true });
    onCleanup(() => void hello.destroy());
    let isClosed = false;
    hello.on("error", () => {}).on("close", () => (isClosed = true));
    // A handshake record, then bytes that are none.
    for (const byte of [0x16, 0x03, 0x01, 0x00, 0x04, 0x63, 0x63, 0x63, 0x63]) {
      hello.write(Buffer.from([byte]));
      await later(1);
    }
    await until(() => isClosed);
  });

  it("treats a client in plain text that ends its side with its request as a listener without TLS does", async () => {
    const outcomes = [];
    for (const mode of ["permissive", undefined] as const) {
      const rig = await start(mode);
      for (const request of [REQUEST, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "G"]) {
        const socket = connectPlain(rig.port, "127.0.0.1");
        let received = "";
        let isClosed = false;
        socket.on("data", (chunk: Buffer) => (received += chunk.toString("latin1")));
        socket.on("error", () => {}).on("close", () => (isClosed = true));
        socket.end(request);
        await until(() => isClosed);
        outcomes.push(`${mode} ${received.slice(0, 12)}`);
      }
      outcomes.push(`${mode} ${rig.policy.checks.length}`);
    }
    const [ofPermissive, ofPlain] = [outcomes.slice(0, 4), outcomes.slice(4)].map((each) =>
      each.map((outcome) => outcome.replace(/^\S+/, "")),
    );
    assert.deepEqual(ofPermissive, ofPlain);
    assert.equal(ofPlain?.[3], " 1");
  });

  it("answers garbage in mode permissive as plain text, and closes it in mode strict", async () => {
    const garbage = "\x15\x03\x01garbage\r\n\r\n";
    assert.match(await raw((await start("permissive")).port, garbage), /^HTTP\/1.1 400/);
    const strict = await start("strict");
    assert.equal(await raw(strict.port, garbage), "");
    assert.deepEqual(await handshakesOf(strict), { not_tls: 1 });
    assert.equal(
      strict.logger.lines.filter(({ message }) => message.includes("plain text was refused")).length,
      1,
    );
  });

  for (const mode of ["strict", "permissive"] as const) {
    it(`closes a client that says nothing, in mode ${mode}`, async () => {
      const rig = await start(mode, { limits: { ...EDGE.limits, handshakeTimeoutMs: 100 } });
      const begun = Date.now();
      assert.equal(await raw(rig.port, "", 1_000), "");
      assert.ok(Date.now() - begun < 900);
      assert.deepEqual(await handshakesOf(rig), { timeout: 1 });
    });

    it(`reads the PROXY protocol's header first, in mode ${mode}`, async () => {
      const rig = await start(mode, { proxyProtocol: true });
      const header = proxyHeaderOf(
        "v2",
        { ip: "198.51.100.7", port: 4000 },
        { ip: "203.0.113.1", port: 443 },
      );
      for (const withRequest of [true, false]) {
        const socket = connectPlain(rig.port, "127.0.0.1");
        onCleanup(() => void socket.destroy());
        let received = "";
        let isClosed = false;
        socket.on("data", (chunk) => (received += String(chunk)));
        socket.on("error", () => {}).on("close", () => (isClosed = true));
        socket.write(withRequest ? Buffer.concat([header, Buffer.from(REQUEST)]) : header);
        await later(10);
        if (!withRequest) socket.write(REQUEST);
        await until(() => isClosed);
        assert.equal(received.startsWith("HTTP/1.1 200"), mode === "permissive");
      }
      const before = rig.policy.checks.length;
      const socket = connectPlain(rig.port, "127.0.0.1");
      socket.write(header);
      assert.equal(await byTls(rig.port, web, { socket }), 200);
      assert.equal(groupOf(rig.policy.checks.slice(before), "source")["ip"], "198.51.100.7");
    });
  }

  it("accepts HTTP/2 by TLS and in plain text on one port", async function () {
    const curl = requireService(this, "curl");
    const { port } = await start("permissive");
    const common = ["-s", "-o", "/dev/null", "-w", "%{http_version} %{http_code}"];
    assert.match(
      await run(curl, [...common, "--http2-prior-knowledge", `http://127.0.0.1:${port}/`]),
      /^2 200/,
    );
    const tls = ["-k", "--cert", web.certFile, "--key", web.keyFile, `https://127.0.0.1:${port}/`];
    assert.match(await run(curl, [...common, "--http2", ...tls]), /^2 200/);
  });

  for (const maxVersion of ["TLSv1.2", "TLSv1.3"] as const) {
    it(`accepts none but the workloads of its trust domain, over ${maxVersion}`, async () => {
      const rig = await start("strict");
      const status = (certificate: Certificate | undefined) => byTls(rig.port, certificate, { maxVersion });
      const named = `${maxVersion}-`;
      assert.equal(await status(web), 200);
      assert.equal(await status(undefined), "refused");
      const refused = {
        "another trust domain": ours.sign(`${named}a`, "URI:spiffe://other.example/ns/shop/sa/web"),
        "two URIs": ours.sign(`${named}b`, `URI:${idOf("web")},URI:https://web.example`),
        "no URI": ours.sign(`${named}c`, "DNS:web.shop"),
        "another scheme": ours.sign(`${named}d`, "URI:https://mesh.example/ns/shop/sa/web"),
        "no path": ours.sign(`${named}e`, "URI:spiffe://mesh.example"),
        "dots in the path": ours.sign(`${named}f`, "URI:spiffe://mesh.example/ns/../sa/web"),
        "another root": theirs.sign(`${named}g`, `URI:${idOf("web")}`),
        expired: ours.signExpired(`${named}h`, `URI:${idOf("web")}`),
        "an authority": ours.signAuthority(`${named}i`, `URI:${idOf("web")}`),
      };
      for (const [reason, certificate] of Object.entries(refused))
        assert.equal(await status(certificate), "refused", reason);
      assert.equal(rig.policy.checks.length, 1);
      const { client_certificate_invalid: invalid, client_certificate_missing: missing } =
        await handshakesOf(rig);
      assert.equal(missing, 1);
      assert.equal(invalid, Object.keys(refused).length);
    });
  }

  it("accepts a further trust domain as an alias", async () => {
    const former = ours.sign("former", "URI:spiffe://former.example/ns/shop/sa/web");
    const peerTls = { mode: "strict", trustDomains: ["mesh.example", "former.example"] } as const;
    const { port } = await start("strict", { peerTls });
    assert.equal(await byTls(port, former), 200);
  });

  it("tells policies the peer, and the application by x-forwarded-client-cert", async () => {
    const rig = await start("permissive");
    const forged = { "x-forwarded-client-cert": "URI=spiffe://mesh.example/ns/shop/sa/admin" };
    assert.equal((await call(rig.port, { headers: forged })).body, "none");
    assert.deepEqual(groupOf(rig.policy.checks, "connection")["mtls"], false);
    assert.equal(groupOf(rig.policy.checks, "source")["principal"], undefined);
    rig.policy.checks.splice(0);
    const reply = await callTls(rig.port, "cart", { cert: web.cert, key: web.key });
    assert.ok(typeof reply !== "string");
    assert.match(reply.body, new RegExp(`^By=${idOf("cart")};Hash=[0-9a-f]{64};URI=${idOf("web")}$`));
    const { ip, port: _port, ...source } = groupOf(rig.policy.checks, "source");
    assert.equal(ip, "127.0.0.1");
    assert.deepEqual(source, {
      principal: "mesh.example/ns/shop/sa/web",
      user: "mesh.example/ns/shop/sa/web",
      namespace: "shop",
      serviceAccount: "web",
      workload: { namespace: "shop" },
    });
    const destination = groupOf(rig.policy.checks, "destination");
    assert.equal(destination["principal"], "mesh.example/ns/shop/sa/cart");
    assert.deepEqual(destination["workload"], { name: "cart", namespace: "shop" });
    assert.equal(groupOf(rig.policy.checks, "connection")["mtls"], true);
  });

  it("takes no x-forwarded-client-cert from trailers", async () => {
    let trailers: readonly string[] | undefined;
    const { port: upstream } = await httpUpstream((incoming, outgoing) => {
      incoming.resume().on("end", () => {
        trailers = incoming.rawTrailers;
        outgoing.end();
      });
    });
    const { port } = await startServer(upstream, "permissive", credential());
    const head = "POST / HTTP/1.1\r\nhost: cart\r\ntransfer-encoding: chunked\r\n\r\n";
    await raw(port, `${head}0\r\nx-forwarded-client-cert: URI=spiffe://a/b\r\nx-sum: 7\r\n\r\n`);
    assert.deepEqual(trailers, ["x-sum", "7"]);
  });

  it("refuses every call in mode strict without a certificate of its own, with the reason", async () => {
    const { port: upstream } = await httpUpstream((_incoming, outgoing) => outgoing.end());
    const rig = await startServer(upstream, "strict", undefined);
    assert.equal(await byTls(rig.port, web), "refused");
    assert.equal(await inPlainText(rig.port), undefined);
    assert.deepEqual(await handshakesOf(rig), { no_certificate: 1, not_tls: 1 });
  });

  it("is ready when it has a certificate", async () => {
    const workload = credential();
    const { material } = workload;
    workload.material = undefined;
    const rig = await startServer(1, "strict", workload);
    assert.equal(rig.proxy.unreadiness(), "waiting for the workload's certificate");
    workload.material = material;
    assert.equal(rig.proxy.unreadiness(), undefined);
  });

  it("lets a request in plain text finish when it becomes strict, and ends its connection", async () => {
    let answer: (() => void) | undefined;
    const { port: upstream } = await httpUpstream((_incoming, outgoing) => {
      answer = () => outgoing.end("answered");
    });
    const rig = await startServer(upstream, "permissive", credential());
    const socket = connectPlain(rig.port, "127.0.0.1");
    onCleanup(() => void socket.destroy());
    let received = "";
    let isClosed = false;
    socket.on("data", (chunk) => (received += String(chunk))).on("close", () => (isClosed = true));
    socket.write("GET / HTTP/1.1\r\nhost: cart\r\n\r\n");
    await until(() => answer !== undefined);
    const secure = await dialTls(rig.port, "cart", { cert: web.cert, key: web.key });
    rig.apply(serverConfigOf(upstream, inboundListener("strict")));
    await later(50);
    assert.equal(await inPlainText(rig.port), undefined);
    answer?.();
    await until(() => isClosed);
    assert.match(received, /^HTTP\/1.1 200[\s\S]*connection: close[\s\S]*answered$/i);
    // Connections by mutual TLS are not touched.
    secure.write("GET / HTTP/1.1\r\nhost: cart\r\n\r\n");
    let later2 = "";
    secure.on("data", (chunk) => (later2 += String(chunk)));
    answer = undefined;
    await until(() => answer !== undefined);
    (answer as unknown as () => void)();
    await until(() => later2.includes("answered"));
    secure.destroy();
  });
});
