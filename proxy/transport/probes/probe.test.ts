// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { createSecureServer } from "node:http2";
import { type AddressInfo, connect } from "node:net";
import { Server, ServerCredentials, status as GrpcStatus } from "@grpc/grpc-js";

import type { CheckOutcome } from "../../../core/traffic/health/active-health.ts";
import type { HealthProbe } from "../../../core/traffic/resources/health-check.ts";
import {
  cleanUp,
  clock,
  deadPort,
  httpUpstream,
  later,
  onCleanup,
  runtime,
  scheduler,
  tcpUpstream,
  NO_CREDENTIALS,
} from "../../testing/harness.test.ts";
import {
  currentTransport,
  describeTransports,
  itHttp1,
  upstreamProtocol,
} from "../../testing/transports.test.ts";
import { WrittenFiles } from "../tls/tls-rig.test.ts";
import { CredentialStore } from "../tls/credentials/credential-store.ts";
import type { ClientSettings } from "../contract/client.ts";
import { type Authority, createAuthority } from "../../../test/support/certificates.ts";
import { createProbe } from "./create-probe.ts";
import { encodeHealthRequest, isServing } from "./grpc-health-messages.ts";
import type { Probe } from "./probe.ts";

const HTTP = {
  kind: "http",
  method: "GET",
  path: "/healthz?deep=1",
  host: "reviews",
  headers: { "X-Check": "é" },
  expectedStatuses: [
    { start: 200, end: 300 },
    { start: 418, end: 419 },
  ],
} as const satisfies HealthProbe;

function probeOf(probe: HealthProbe, port: number, more: Partial<ClientSettings> = {}): Probe {
  const created = createProbe(
    probe,
    {
      host: "127.0.0.1",
      port,
      protocol: upstreamProtocol(),
      maxConcurrentStreams: 100,
      tls: undefined,
      credentials: NO_CREDENTIALS,
      connectTimeoutMs: 5_000,
      maxConnections: 100,
      maxPendingRequests: 100,
      maxRequestsPerConnection: 0,
      maxConnectionDurationMs: 0,
      idleTimeoutMs: 0,
      tcpKeepaliveTimeMs: 0,
      maxHeaderBytes: 8_192,
      clock,
      scheduler,
      ...more,
    },
    currentTransport(),
  );
  onCleanup(() => created.close());
  return created;
}

/** The outcome of one check; "pending" when there is none after `waitMs`. */
async function check(probe: Probe, waitMs = 2_000): Promise<CheckOutcome | "pending"> {
  let cancel: () => void = () => {};
  let calls = 0;
  const done = new Promise<CheckOutcome>((resolve) => {
    cancel = probe.check((outcome) => {
      calls++;
      resolve(outcome);
    });
  });
  assert.equal(calls, 0, "onDone was called before check returned");
  const outcome = await Promise.race([done, later(waitMs).then(() => "pending" as const)]);
  cancel();
  await later(10);
  assert.equal(calls, outcome === "pending" ? 0 : 1);
  return outcome;
}

describeTransports("a check by HTTP", () => {
  afterEach(cleanUp);

  it("sends the document's request, and keeps the connection for the next", async () => {
    const seen: string[] = [];
    const ports = new Set<number | undefined>();
    const { port } = await httpUpstream(({ method, url, headers, socket }, outgoing) => {
      ports.add(socket.remotePort);
      const value = Buffer.from(String(headers["x-check"]), "latin1").toString();
      seen.push(`${method} ${url} ${headers.host} ${headers["user-agent"]} ${value}`);
      outgoing.end("a body that does not matter");
    });
    const probe = probeOf(HTTP, port);
    assert.equal(await check(probe), "success");
    assert.equal(await check(probe), "success");
    const line = "GET /healthz?deep=1 reviews purser-health-check é";
    assert.deepEqual(seen, [line, line]);
    assert.equal(ports.size, 1);
  });

  for (const [status, outcome] of [
    [200, "success"],
    [204, "success"],
    [299, "success"],
    [418, "success"],
    [301, "failure"],
    [404, "failure"],
    [500, "failure"],
  ] as const) {
    it(`is a ${outcome} with status ${status}`, async () => {
      const { port } = await httpUpstream((_incoming, outgoing) => outgoing.writeHead(status).end());
      assert.equal(await check(probeOf(HTTP, port)), outcome);
    });
  }

  it("by HEAD has no body to wait for", async () => {
    const { port } = await httpUpstream((_incoming, outgoing) => {
      outgoing.writeHead(200, { "content-length": 1_000 }).end();
    });
    assert.equal(await check(probeOf({ ...HTTP, method: "HEAD" }, port)), "success");
  });

  it("needs no more than the head of an answer that says enough", async () => {
    const { port } = await httpUpstream((_incoming, outgoing) => {
      outgoing.writeHead(503, { "content-length": 1_000_000 }).write("half");
    });
    assert.equal(await check(probeOf(HTTP, port)), "failure");
  });

  for (const [what, serve, outcome] of [
    ["is reset", (socket) => socket.on("data", () => socket.resetAndDestroy()), "network_failure"],
    ["is closed at once", (socket) => socket.destroy(), "network_failure"],
    ["is answered with garbage", (socket) => socket.write("SSH-2.0-x\r\n\r\n"), "network_failure"],
    [
      "gets a part of the body and then nothing",
      (socket) => socket.write("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf"),
      "pending",
    ],
    [
      "has its answer cut",
      (socket) => socket.end("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf"),
      "network_failure",
    ],
    ["hangs", () => {}, "pending"],
  ] as const satisfies readonly (readonly [string, Parameters<typeof tcpUpstream>[0], string])[]) {
    itHttp1("up", `is a ${outcome} when it ${what}`, async () => {
      const { port } = await tcpUpstream(serve);
      assert.equal(await check(probeOf(HTTP, port), outcome === "pending" ? 100 : 2_000), outcome);
    });
  }

  itHttp1(
    "up",
    "is pending while a head trickles in, and a cancelled check leaves nothing behind",
    async () => {
      let open = 0;
      const { port } = await tcpUpstream((socket) => {
        open++;
        socket.on("close", () => open--);
        socket.write("HTTP/1.1 200 OK\r\n");
        const timer = setInterval(() => socket.write("a: b\r\n"), 5);
        socket.on("close", () => clearInterval(timer));
      });
      assert.equal(await check(probeOf(HTTP, port), 100), "pending");
      await later(50);
      assert.equal(open, 0);
    },
  );

  it("is a network failure when no process listens", async () => {
    assert.equal(await check(probeOf(HTTP, await deadPort())), "network_failure");
  });

  itHttp1("up", "is repeated once when the endpoint closes the kept connection just then", async () => {
    let requests = 0;
    const { port } = await tcpUpstream((socket, connection) => {
      socket.on("data", () => {
        requests++;
        if (connection === 0 && requests === 2) socket.destroy();
        else socket.write("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
      });
    });
    const probe = probeOf(HTTP, port);
    assert.equal(await check(probe), "success");
    assert.equal(await check(probe), "success");
    assert.equal(requests, 3);
  });
});

describe("a check by TCP", () => {
  afterEach(cleanUp);

  it("is a success when a connection opens, and closes it", async () => {
    let closed = 0;
    const { port } = await tcpUpstream((socket) => socket.on("close", () => closed++));
    assert.equal(await check(probeOf({ kind: "tcp" }, port)), "success");
    await later(50);
    assert.equal(closed, 1);
  });

  it("is a network failure when no process listens", async () => {
    assert.equal(await check(probeOf({ kind: "tcp" }, await deadPort())), "network_failure");
  });

  it("may be cancelled at once", async () => {
    const { port } = await tcpUpstream(() => {});
    probeOf({ kind: "tcp" }, port).check(() => assert.fail("it was cancelled"))();
    await later(50);
  });
});

const GRPC = { kind: "grpc", host: "reviews", service: "shop.Reviews" } as const satisfies HealthProbe;

type Answer = (service: string, authority: string) => number | Error;

/** A server of grpc.health.v1 by grpc-js, with messages of its own encoding. */
async function grpcServer(answer: Answer): Promise<number> {
  const bytes = (value: Buffer): Buffer => value;
  const method = {
    path: "/grpc.health.v1.Health/Check",
    requestStream: false,
    responseStream: false,
    requestSerialize: bytes,
    requestDeserialize: bytes,
    responseSerialize: bytes,
    responseDeserialize: bytes,
  };
  const server = new Server();
  server.addService(
    { Check: method },
    {
      Check(
        call: { request: Buffer; getHost(): string },
        reply: (error: Error | null, value?: Buffer) => void,
      ) {
        const service = call.request.byteLength === 0 ? "" : call.request.subarray(2).toString();
        const result = answer(service, call.getHost());
        if (typeof result === "number") reply(null, Buffer.from([0x08, result]));
        else reply(result);
      },
    },
  );
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    ),
  );
  onCleanup(() => server.forceShutdown());
  return port;
}

const NOT_FOUND = Object.assign(new Error("unknown service"), { code: GrpcStatus.NOT_FOUND });

describe("a check by gRPC", () => {
  afterEach(cleanUp);

  it("asks a server for the service, on one connection", async () => {
    const asked: string[] = [];
    const port = await grpcServer((service, authority) => {
      asked.push(`${service} ${authority}`);
      return 1;
    });
    const probe = probeOf(GRPC, port);
    assert.equal(await check(probe), "success");
    assert.equal(await check(probe), "success");
    assert.equal(await check(probeOf({ ...GRPC, service: "" }, port)), "success");
    assert.deepEqual(asked, ["shop.Reviews reviews", "shop.Reviews reviews", " reviews"]);
  });

  for (const [what, answer] of [
    ["UNKNOWN", () => 0],
    ["NOT_SERVING", () => 2],
    ["SERVICE_UNKNOWN", () => 3],
    ["the status NOT_FOUND", () => NOT_FOUND],
  ] as const) {
    it(`is a failure when the answer is ${what}`, async () => {
      assert.equal(await check(probeOf(GRPC, await grpcServer(answer))), "failure");
    });
  }

  it("is a network failure when no process listens, and when the peer speaks HTTP/1.1 or resets", async () => {
    assert.equal(await check(probeOf(GRPC, await deadPort())), "network_failure");
    const { port: http1 } = await httpUpstream((_incoming, outgoing) => outgoing.end());
    assert.equal(await check(probeOf(GRPC, http1)), "network_failure");
    const { port: resetting } = await tcpUpstream((socket) =>
      socket.on("data", () => socket.resetAndDestroy()),
    );
    assert.equal(await check(probeOf(GRPC, resetting)), "network_failure");
  });

  it("connects anew after a check that got no answer in time, and after the endpoint's restart", async () => {
    const connections: number[] = [];
    const real = await grpcServer(() => 1);
    const { port } = await tcpUpstream((socket, index) => {
      connections.push(index);
      // The first connection hangs; later ones lead to the server.
      if (index === 0) return;
      const server = connect(real, "127.0.0.1");
      server.on("error", () => {});
      server.on("close", () => socket.destroy());
      socket.pipe(server).pipe(socket);
      if (index === 1) setTimeout(() => socket.destroy(), 150);
    });
    const probe = probeOf(GRPC, port);
    assert.equal(await check(probe, 100), "pending");
    assert.equal(await check(probe), "success");
    await later(200);
    assert.equal(await check(probe), "success");
    assert.deepEqual(connections, [0, 1, 2]);
  });

  it("encodes a service of any length, and takes no other bytes for SERVING", () => {
    assert.deepEqual([...encodeHealthRequest("")], [0, 0, 0, 0, 0]);
    assert.deepEqual([...encodeHealthRequest("ab")], [0, 0, 0, 0, 4, 0x0a, 2, 0x61, 0x62]);
    const long = encodeHealthRequest("x".repeat(300));
    assert.deepEqual([...long.subarray(0, 8)], [0, 0, 0, 1, 47, 0x0a, 0xac, 2]);
    assert.equal(isServing(Buffer.from([0, 0, 0, 0, 2, 8, 1])), true);
    for (const other of [
      [],
      [0, 0, 0, 0, 0],
      [1, 0, 0, 0, 2, 8, 1],
      [0, 0, 0, 0, 2, 8, 2],
      [0, 0, 0, 0, 2, 8, 1, 0],
      [0, 0, 0, 0, 2, 8],
    ])
      assert.equal(isServing(Buffer.from(other)), false);
  });
});

describe("checks over TLS", () => {
  let ours: Authority;
  let theirs: Authority;
  before(function () {
    ours = createAuthority(this);
    theirs = createAuthority(this);
  });
  after(() => {
    ours?.remove();
    theirs?.remove();
  });
  afterEach(cleanUp);

  /** An endpoint that speaks HTTP/1.1 and HTTP/2, and counts handshakes that ended well. */
  async function secureEndpoint(): Promise<{ readonly port: number; handshakes: number }> {
    const { cert, key } = ours.sign(`server-${Math.random()}`, "DNS:reviews.shop");
    const endpoint = { port: 0, handshakes: 0 };
    const server = createSecureServer({ cert, key, allowHTTP1: true }, (incoming, outgoing) => {
      if (incoming.httpVersionMajor === 1) return outgoing.end("ok");
      outgoing.writeHead(200, { "content-type": "application/grpc" });
      outgoing.addTrailers({ "grpc-status": "0" });
      return outgoing.end(Buffer.from([0, 0, 0, 0, 2, 8, 1]));
    });
    server.on("secureConnection", () => endpoint.handshakes++);
    server.on("session", (session) => onCleanup(() => session.destroy()));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onCleanup(() => void server.close());
    return Object.assign(endpoint, { port: (server.address() as AddressInfo).port });
  }

  function tlsOf(authority: Authority, serverName: string): Partial<ClientSettings> {
    const credentials = new CredentialStore({
      ...runtime,
      files: new WrittenFiles({ ca: authority.cert }),
      folder: undefined,
      systemAuthorities: undefined,
      onRead: () => {},
    });
    onCleanup(() => credentials.close());
    const credential = { authoritiesFile: "ca" };
    return { credentials, tls: { credential, serverName, subjectAltNames: [], skipsVerification: false } };
  }

  for (const [kind, probe] of [
    ["HTTP", HTTP],
    ["TCP", { kind: "tcp" }],
    ["gRPC", GRPC],
  ] as const) {
    it(`by ${kind} succeed when the server is verified, and fail when it is not, or speaks plain text`, async () => {
      const endpoint = await secureEndpoint();
      const outcomeOf = async (settings: Partial<ClientSettings>, port = endpoint.port) => {
        const created = probeOf(probe, port, { protocol: "http1", ...settings });
        // The authorities' file is read first.
        await later(5);
        return check(created);
      };
      const good = tlsOf(ours, "reviews.shop");
      assert.equal(await outcomeOf(good), "success");
      await later(20);
      assert.equal(endpoint.handshakes, 1);
      assert.equal(await outcomeOf(tlsOf(theirs, "reviews.shop")), "network_failure");
      assert.equal(await outcomeOf(tlsOf(ours, "ratings.shop")), "network_failure");
      const { port: plain } = await tcpUpstream((socket) =>
        socket.on("data", () => socket.end("HTTP/1.1 200 OK\r\n\r\n")),
      );
      assert.equal(await outcomeOf(good, plain), "network_failure");
    });
  }
});
