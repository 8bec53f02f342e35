// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import type { TLSSocket } from "node:tls";

import { type Authority, type Certificate, createAuthority } from "../../../../test/support/certificates.ts";
import { clock, cleanUp, later, until } from "../../../testing/harness.test.ts";
import { TicketKeys } from "../ticket-keys.ts";
import {
  callTls,
  dialTls,
  handshakesOf,
  startTlsEdge,
  tlsConfigOf,
  tlsServerOf,
  WrittenFiles,
} from "../tls-rig.test.ts";

describe("the renewal of certificates", () => {
  let authority: Authority;
  let pairs: readonly Certificate[];
  before(function () {
    authority = createAuthority(this);
    pairs = ["first", "second", "third"].map((name) => authority.sign(name));
  });
  after(() => authority?.remove());
  afterEach(cleanUp);

  const A = tlsServerOf("a");
  const B = tlsServerOf("b", { credential: A.credential });
  const filesOf = ({ cert, key }: Certificate) => new WrittenFiles({ "a.crt": cert, "a.key": key });

  it("fails no handshake and no request under load, and new connections get the new pair", async () => {
    const files = filesOf(pairs[0] as Certificate);
    const rig = await startTlsEdge([A], files);
    const kept = await dialTls(rig.port, "a");
    let stops = false;
    const failures: unknown[] = [];
    const servers = new Set<string>();
    let requests = 0;
    const client = async (): Promise<void> => {
      while (!stops) {
        const reply = await callTls(rig.port, "a");
        requests++;
        if (typeof reply === "string" || reply.status !== 200) failures.push(reply);
        else servers.add(reply.server);
      }
    };
    const clients = [client(), client(), client(), client()];
    for (let round = 0; round < 12; round++) {
      const { cert, key } = pairs[round % 3] as Certificate;
      await later(25);
      files.write("a.crt", round % 4 === 0 ? cert.slice(0, 200) : cert);
      await later(15);
      files.write("a.key", key);
      files.write("a.crt", cert);
    }
    await later(50);
    stops = true;
    await Promise.all(clients);
    assert.deepEqual(failures, []);
    assert.deepEqual([...servers].toSorted(), ["first", "second", "third"]);
    assert.ok(requests > 20, `${requests} requests`);
    assert.match(await exchangeOn(kept), /^HTTP\/1\.1 200/);
    kept.destroy();
    const reply = await callTls(rig.port, "a");
    assert.equal(typeof reply === "string" ? reply : reply.server, "third");
    assert.match(
      await rig.proxy.registry.metrics(),
      /purser_proxy_certificate_reads_total{result="rejected"} [1-9]/,
    );
    assert.match(
      await rig.proxy.registry.metrics(),
      /purser_proxy_certificate_expiry_timestamp_seconds{credential="a.crt"} \d{10}/,
    );
  });

  it("keeps sessions of the processes that share a secret, and of no other", async () => {
    const files = filesOf(pairs[0] as Certificate);
    const ticketSecret = new TicketKeys(clock).state();
    const [one, two] = [
      await startTlsEdge([A], files, { ticketSecret }),
      await startTlsEdge([A], files, { ticketSecret }),
    ];
    const other = await startTlsEdge([A], files);
    for (const maxVersion of ["TLSv1.2", "TLSv1.3"] as const) {
      const session = await sessionOf(one.port, maxVersion);
      const resumed = async (port: number) => {
        const reply = await callTls(port, "a", { maxVersion, session });
        return typeof reply === "string" ? reply : reply.resumed;
      };
      assert.equal(await resumed(two.port), true, maxVersion);
      assert.equal(await resumed(other.port), false, maxVersion);
    }
    assert.deepEqual(await handshakesOf(two), { resumed: 2 });
  });

  it("of the configuration ends connections of changed servers with their request, and no others", async () => {
    const rig = await startTlsEdge([A, B], filesOf(pairs[0] as Certificate));
    const [a, b] = [await dialTls(rig.port, "a"), await dialTls(rig.port, "b")];
    assert.match(await exchangeOn(a), /200/);
    const changed = { ...A, minVersion: "TLSv1.3" } as const;
    rig.apply(tlsConfigOf([changed, B]));
    await later(30);
    assert.match(await exchangeOn(a), /connection: close/i);
    await until(() => a.closed);
    assert.doesNotMatch(await exchangeOn(b), /connection: close/i);
    // An idle connection ends too.
    const idle = await dialTls(rig.port, "b");
    rig.apply(tlsConfigOf([changed]));
    await new Promise<void>((resolve) => idle.once("end", resolve).resume());
    assert.equal(await callTls(rig.port, "b"), "ECONNRESET");
    for (const socket of [a, b, idle]) socket.destroy();
  });

  it("of the configuration reads new files first: no handshake fails", async () => {
    const files = filesOf(pairs[0] as Certificate);
    const rig = await startTlsEdge([A], files);
    const [, second] = pairs as [Certificate, Certificate];
    files.write("b.crt", second.cert);
    files.write("b.key", second.key);
    const renamed = { ...A, credential: { certificateFile: "b.crt", privateKeyFile: "b.key" } };
    rig.apply(tlsConfigOf([renamed]));
    const servers: string[] = [];
    for (let index = 0; index < 10; index++) {
      const reply = await callTls(rig.port, "a");
      servers.push(typeof reply === "string" ? reply : reply.server);
    }
    assert.deepEqual([...new Set(servers)].at(-1), "second");
    assert.ok(
      servers.every((server) => server === "first" || server === "second"),
      servers.join(),
    );
    assert.deepEqual(new Set(files.watched), new Set(["b.crt", "b.key"]));
  });

  it("serves a drain: the request under way is answered, then its connection ends", async () => {
    const rig = await startTlsEdge([A], filesOf(pairs[0] as Certificate));
    const socket = await dialTls(rig.port, "a");
    assert.match(await exchangeOn(socket), /200/);
    const drained = rig.proxy.drain(2_000);
    assert.match(await exchangeOn(socket), /connection: close/i);
    await drained;
    await until(() => socket.closed || socket.readableEnded);
  });
});

async function exchangeOn(socket: TLSSocket): Promise<string> {
  socket.write("GET / HTTP/1.1\r\nhost: " + socket.servername + "\r\n\r\n");
  return new Promise((resolve) => {
    socket.once("data", (bytes) => resolve(String(bytes)));
    socket.once("close", () => resolve("closed"));
  });
}

/** A session that the server gave; TLS 1.3 servers send it after the handshake. */
async function sessionOf(port: number, maxVersion: "TLSv1.2" | "TLSv1.3"): Promise<Buffer> {
  const socket = await dialTls(port, "a", { maxVersion });
  const given = new Promise<Buffer>((resolve) => socket.once("session", resolve));
  const session = maxVersion === "TLSv1.2" ? (socket.getSession() as Buffer) : undefined;
  await exchangeOn(socket);
  const result = session ?? (await given);
  socket.destroy();
  return result;
}
