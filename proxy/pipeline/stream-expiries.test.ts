// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import type { RequestListener, ServerResponse } from "node:http";
import { connect as connectTcp } from "node:net";
import type { Duplex } from "node:stream";
import fc from "fast-check";

import { createVirtualTime } from "../../plugins/sdk/testing/index.ts";
import { type Authority, type Certificate, createAuthority } from "../../test/support/certificates.ts";
import type { Exchange } from "../exchange/exchange.ts";
import {
  ALLOW,
  cleanUp,
  clusterOf,
  configOf,
  EDGE,
  endpointAt,
  FakePolicy,
  groupOf,
  httpUpstream,
  onCleanup,
  RecordingLogger,
  startProxy,
  startWith,
  until,
} from "../testing/harness.test.ts";
import { describeTransports } from "../testing/transports.test.ts";
import { HTTP_TRANSPORT } from "../transport/http-transport.ts";
import { dialTls, tlsServerOf, WrittenFiles } from "../transport/tls/tls-rig.test.ts";
import type { PolicyClient } from "../policy/check-result.ts";
import { UNLISTED } from "../../kernel/linked-list.ts";
import { LongStreams } from "./long-streams.ts";
import {
  type CredentialExpiry,
  type CredentialKind,
  type ExpiringEntry,
  type ExpiringStream,
  StreamExpiries,
} from "./stream-expiries.ts";

const START_MS = Date.UTC(2026, 0, 1);

class Stream implements ExpiringStream {
  readonly expiry: CredentialExpiry | undefined;
  expiringEntry: ExpiringEntry | undefined = undefined;
  readonly expired: number[] = [];
  readonly #now: () => number;
  constructor(now: () => number, atEpochMs?: number, credential: CredentialKind = "token") {
    this.#now = now;
    this.expiry = atEpochMs === undefined ? undefined : { credential, atEpochMs };
  }
  expire(): void {
    this.expired.push(this.#now());
  }
}

function rig() {
  const time = createVirtualTime(START_MS);
  const logger = new RecordingLogger();
  const expiries = new StreamExpiries({ ...time, logger });
  const add = (inMs?: number, credential?: CredentialKind): Stream => {
    const stream = new Stream(
      () => time.clock.nowMs(),
      inMs === undefined ? undefined : START_MS + inMs,
      credential,
    );
    expiries.add(stream);
    return stream;
  };
  return { time, logger, expiries, add };
}

describe("the expiries of streams", () => {
  it("close each stream once, within a second after its expiry and never before, removed ones never", () => {
    const streams = fc.array(
      fc.record({
        addMs: fc.nat({ max: 5_000 }),
        liveMs: fc.integer({ min: -1_000, max: 10_000 }),
        removeMs: fc.option(fc.nat({ max: 12_000 }), { nil: undefined }),
      }),
      { maxLength: 40 },
    );
    fc.assert(
      fc.property(streams, (plans) => {
        const { time, expiries } = rig();
        const made = plans.map(({ addMs, liveMs, removeMs }) => {
          const stream = new Stream(() => time.clock.nowMs(), START_MS + addMs + liveMs);
          time.scheduler.after(addMs, () => expiries.add(stream));
          if (removeMs !== undefined && removeMs > addMs)
            time.scheduler.after(removeMs, () => expiries.remove(stream));
          const endMs = removeMs !== undefined && removeMs > addMs ? START_MS + removeMs : Infinity;
          return { stream, endMs, fromMs: START_MS + addMs + Math.max(0, liveMs) };
        });
        time.advance(20_000);
        for (const { stream, endMs, fromMs } of made) {
          const [atMs] = stream.expired;
          assert.ok(stream.expired.length <= 1);
          if (atMs === undefined) assert.ok(endMs < fromMs + 1_000, "the stream was not closed");
          else assert.ok(atMs >= fromMs && atMs < fromMs + 1_000 && atMs <= endMs, `${atMs - fromMs} ms`);
        }
        assert.equal(time.scheduled, 0);
      }),
      { numRuns: 200 },
    );
  });

  it("follow the wall clock when it is set, in both directions", () => {
    const { time, add } = rig();
    const stream = add(3_600_000);
    time.advance(1_000);
    time.setWallClock(START_MS + 3_600_000);
    time.advance(999);
    assert.equal(stream.expired.length, 1);
    const later = add(3_605_000);
    time.setWallClock(START_MS);
    time.advance(60_000);
    assert.equal(later.expired.length, 0);
    time.setWallClock(START_MS + 4_000_000);
    time.advance(999);
    assert.equal(later.expired.length, 1);
  });

  it("share one timer, and have none without streams that expire", () => {
    const { time, expiries, add } = rig();
    add();
    assert.equal(time.scheduled, 0);
    const streams = Array.from({ length: 1_000 }, (_, index) => add(10_000 + (index % 7) * 1_000));
    assert.equal(time.scheduled, 1);
    for (const stream of streams) expiries.remove(stream);
    time.advance(500);
    assert.equal(time.scheduled, 0);
    const open = add(1_000);
    expiries.close();
    add(1_000);
    time.advance(5_000);
    assert.deepEqual([open.expired.length, time.scheduled], [0, 0]);
  });

  it("close very many streams in slices, and count and log them by credential", () => {
    const tasks: (() => void)[] = [];
    let monotonicMs = 0;
    const logger = new RecordingLogger();
    const expiries = new StreamExpiries({
      clock: { nowMs: () => START_MS, monotonicMs: () => monotonicMs },
      scheduler: {
        after: (_delayMs, task) => {
          tasks.push(task);
          return () => {};
        },
        every: () => assert.fail("no interval is needed"),
      },
      logger,
    });
    let closed = 0;
    const expire = (): void => {
      closed++;
      monotonicMs++;
    };
    for (let index = 0; index < 200; index++)
      expiries.add({
        expiry: { credential: index < 50 ? "certificate" : "token", atEpochMs: START_MS - (index % 3) },
        expiringEntry: undefined,
        expire,
      });
    const inTurns: number[] = [];
    for (let task = tasks.shift(); task !== undefined; task = tasks.shift()) {
      closed = 0;
      task();
      inTurns.push(closed);
    }
    assert.deepEqual(new Set(inTurns), new Set([10]));
    assert.deepEqual(expiries.counts, { certificate: 50, token: 150 });
    const logged = logger.lines.map(({ fields }) => fields as { certificate: number; token: number });
    assert.equal(
      logged.reduce((sum, { certificate, token }) => sum + certificate + token, 0),
      200,
    );
  });

  it("close a stream that is opened with the same expiry while others are closed", () => {
    const { time, expiries, add } = rig();
    let late: Stream | undefined;
    const replaced = {
      expiry: { credential: "token" as const, atEpochMs: START_MS + 1_000 },
      expiringEntry: undefined,
      expire(): void {
        expiries.remove(this);
        late = add(1_000);
      },
    };
    expiries.add(replaced);
    time.advance(3_000);
    assert.equal(late?.expired.length, 1);
  });

  it("do not put streams to changed policies that another proxy decided about", async () => {
    const time = createVirtualTime(START_MS);
    const policy = new FakePolicy();
    const streams = new LongStreams(policy, { ...time, random: () => 1, logger: new RecordingLogger() });
    const expiry: CredentialExpiry = { credential: "certificate", atEpochMs: START_MS + 1_000 };
    let ended = "";
    const refuse = (): void => void (ended += "refused");
    const expire = (): void => void (ended += "expired");
    const fields = { ...UNLISTED, expiringEntry: undefined };
    streams.add({ attributes: {}, isDecidedHere: false, expiry, refuse, expire, ...fields });
    assert.equal(streams.size, 0);
    policy.change(() => "refused");
    await time.advanceAndSettle(1_600);
    assert.equal(ended, "expired");
  });
});

const open: ServerResponse[] = [];
const streaming: RequestListener = (incoming, outgoing) => {
  const type = incoming.url === "/grpc" ? "application/grpc" : "text/event-stream";
  outgoing.writeHead(200, { "content-type": type });
  outgoing.write("data: 1\n\n");
  open.push(outgoing);
};

function listen(socket: Duplex, path: string, more = "") {
  const state = { received: "", closed: false, write: (text: string) => void socket.write(text) };
  socket.on("data", (chunk: Buffer) => (state.received += chunk.toString("latin1")));
  socket.on("error", () => {});
  socket.on("close", () => (state.closed = true));
  socket.write(`GET ${path} HTTP/1.1\r\nhost: optional\r\nte: trailers\r\n${more}\r\n`);
  onCleanup(() => void socket.destroy());
  return state;
}

describeTransports("streams under a token", () => {
  afterEach(async () => {
    for (const outgoing of open.splice(0)) outgoing.destroy();
    await cleanUp();
  });

  it("are closed when it expires, exactly those", async () => {
    const { port, policy, proxy, logger } = await startWith(streaming);
    // Stands for the filter that verifies tokens.
    const client: PolicyClient = policy;
    client.check = (bag, _options, exchange) => {
      policy.checks.push(bag);
      const { headers } = (exchange as unknown as Exchange).request;
      const lifeMs = headers.get("x-life");
      if (lifeMs !== undefined)
        (exchange as unknown as Exchange).credentialExpiresAtEpochMs = Date.now() + Number(lifeMs);
      return ALLOW;
    };
    const dial = (path: string, lifeMs?: number) =>
      listen(connectTcp(port, "127.0.0.1"), path, lifeMs === undefined ? "" : `x-life: ${lifeMs}\r\n`);
    const short = dial("/events", 700);
    const call = dial("/grpc", 700);
    const long = dial("/events", 60_000);
    const none = dial("/events");
    const all = [short, call, long, none];
    await until(() => all.every(({ received }) => received.includes("data: 1")));
    assert.equal(short.closed, false);
    await until(() => short.closed && call.received.includes("grpc-status"));
    assert.match(
      call.received,
      /\r\n0\r\ngrpc-status: 16\r\ngrpc-message: the client's token has expired\r\n\r\n$/,
    );
    assert.deepEqual([call.closed, long.closed, none.closed], [false, false, false]);
    await until(() => policy.reports.length === 2);
    assert.deepEqual(
      policy.reports
        .map((bag) => groupOf([bag], "response"))
        .map(({ flags, code_details }) => [flags, code_details]),
      [
        ["UAEX", "token_expired"],
        ["UAEX", "token_expired"],
      ],
    );
    assert.match(
      await proxy.registry.metrics(),
      /purser_proxy_stream_expiries_total\{credential="token"\} 2/,
    );
    assert.ok(
      logger.lines.some(({ message }) => message.startsWith("open streams were closed, since a credential")),
    );
  });
});

describe("streams under a client certificate", () => {
  let authority: Authority;
  let client: Certificate;
  let other: Certificate;
  let files: WrittenFiles;
  before(function () {
    authority = createAuthority(this);
    client = authority.sign("client", undefined, 2);
    other = authority.sign("other", undefined, 3);
    const { cert, key } = authority.sign("server");
    files = new WrittenFiles({ crt: cert, key, ca: authority.cert });
  });
  after(() => authority?.remove());
  afterEach(async () => {
    for (const outgoing of open.splice(0)) outgoing.destroy();
    await cleanUp();
  });

  it("are closed when it ends, whatever their protocol; other certificates' and later clients' go on", async () => {
    const upstream = await httpUpstream(streaming);
    upstream.server.on("upgrade", (_request, socket: Duplex) => {
      socket.on("error", () => {});
      socket.write("HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n");
      onCleanup(() => void socket.destroy());
    });
    const cluster = clusterOf([endpointAt(upstream.port)], { protocol: "http1" });
    const credential = { certificateFile: "crt", privateKeyFile: "key", authoritiesFile: "ca" };
    const server = tlsServerOf("optional", { credential, mode: "optional-mutual", routeTable: "main" });
    // The handshake uses the host's clock; the proxy's clock is ahead, 700 ms before the certificate's end.
    const notAfterMs = Date.parse(new X509Certificate(client.cert).validTo);
    const aheadMs = notAfterMs - 700 - Date.now();
    const { port, policy, proxy } = await startProxy(
      configOf({ clusters: [cluster], listeners: [{ ...EDGE, tlsServers: [server] }] }),
      {
        transport: HTTP_TRANSPORT,
        files,
        clock: { nowMs: () => Date.now() + aheadMs, monotonicMs: () => performance.now() },
      },
    );
    const dial = async (path: string, certificate?: Certificate, more = "") => {
      const tls = certificate === undefined ? {} : { cert: certificate.cert, key: certificate.key };
      return listen(await dialTls(port, "optional", tls), path, more);
    };
    const events = await dial("/events", client);
    const call = await dial("/grpc", client);
    const handshake = "connection: upgrade\r\nupgrade: websocket\r\n";
    const socket = await dial("/chat", client, handshake);
    const others = [
      await dial("/events", other),
      await dial("/events"),
      await dial("/chat", other, handshake),
    ];
    const streams = [events, call, ...others.slice(0, 2)];
    await until(() => streams.every(({ received }) => received.includes("data: 1")));
    await until(() => [socket, others[2]].every((each) => each?.received.includes(" 101 ") === true));
    await until(() => events.closed && socket.closed && call.received.includes("grpc-status: 16"));
    const closedMs = Date.now() + aheadMs;
    assert.ok(closedMs >= notAfterMs && closedMs < notAfterMs + 1_000, `${closedMs - notAfterMs} ms`);
    assert.deepEqual(
      others.map(({ closed }) => closed),
      [false, false, false],
    );
    assert.ok(
      policy.reports.every((bag) => groupOf([bag], "response")["code_details"] === "certificate_expired"),
    );
    assert.match(
      await proxy.registry.metrics(),
      /purser_proxy_stream_expiries_total\{credential="certificate"\} 3/,
    );
    // A stream that is opened under the certificate afterwards, on a connection of before, ends at once.
    call.received = "";
    call.write("GET /grpc HTTP/1.1\r\nhost: optional\r\nte: trailers\r\n\r\n");
    await until(() => call.received.includes("grpc-status: 16"));
  });
});
