// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { connect } from "node:net";

import { call, cleanUp, groupOf, later, type Rig, raw, startWith } from "../testing/harness.test.ts";
import { describeHttp1 } from "../testing/transports.test.ts";

/** Requests that two parsers could read differently, or that no parser should accept. */
const REFUSED: readonly (readonly [name: string, bytes: string, status: number])[] = [
  [
    "both content-length and transfer-encoding",
    "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 6\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\nX",
    400,
  ],
  [
    "transfer-encoding and content-length, the other way round",
    "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\ncontent-length: 4\r\n\r\n5c\r\nGPOST / HTTP/1.1\r\n\r\n0\r\n\r\n",
    400,
  ],
  [
    "two content-lengths",
    "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nxx",
    400,
  ],
  ["a signed content-length", "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: +1\r\n\r\nx", 400],
  ["a list of content-lengths", "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1, 1\r\n\r\nx", 400],
  ["an unknown transfer-encoding", "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: xchunked\r\n\r\n", 400],
  [
    "chunked that is not last",
    "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    400,
  ],
  ["a space before the colon", "GET / HTTP/1.1\r\nhost: a\r\nx-y : 1\r\n\r\n", 400],
  ["a folded header", "GET / HTTP/1.1\r\nhost: a\r\nx-y: 1\r\n  2\r\n\r\n", 400],
  ["a bare line feed in a value", "GET / HTTP/1.1\r\nhost: a\r\nx-y: 1\nx-z: 2\r\n\r\n", 400],
  ["a null in a value", "GET / HTTP/1.1\r\nhost: a\r\nx-y: 1\0\r\n\r\n", 400],
  ["two hosts", "GET / HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n", 400],
  ["no host", "GET / HTTP/1.1\r\nx: y\r\n\r\n", 400],
  ["a host with user information", "GET / HTTP/1.1\r\nhost: admin@a\r\n\r\n", 400],
  ["a host that is a path", "GET / HTTP/1.1\r\nhost: a/b\r\n\r\n", 400],
  ["another scheme", "GET ftp://a/ HTTP/1.1\r\nhost: a\r\n\r\n", 400],
  ["a fragment", "GET /a#b HTTP/1.1\r\nhost: a\r\n\r\n", 400],
  ["the asterisk form with a query", "OPTIONS *?a HTTP/1.1\r\nhost: a\r\n\r\n", 400],
  ["the asterisk form of another method", "DELETE * HTTP/1.1\r\nhost: a\r\n\r\n", 400],
  ["CONNECT", "CONNECT a:80 HTTP/1.1\r\nhost: a\r\n\r\n", 405],
  ["HTTP/2 after an empty line", "\r\nPRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400],
  ["HTTP/1.0 with chunks", "POST / HTTP/1.0\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n", 400],
  ["an expectation that nobody knows", "GET / HTTP/1.1\r\nhost: a\r\nexpect: miracles\r\n\r\n", 417],
  ["not HTTP at all", "\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03", 400],
  ["headers of more than 60 KiB", `GET / HTTP/1.1\r\nhost: a\r\nx: ${"y".repeat(61 * 1024)}\r\n\r\n`, 431],
  ["more than 100 headers", `GET / HTTP/1.1\r\nhost: a\r\n${"x: y\r\n".repeat(101)}\r\n`, 431],
  ["a target of more than 60 KiB", `GET /${"y".repeat(61 * 1024)} HTTP/1.1\r\nhost: a\r\n\r\n`, 431],
];

describeHttp1("abuse", () => {
  let rig: Rig;
  let arrived: string[];

  before(async () => {
    arrived = [];
    rig = await startWith(
      (incoming, outgoing) => {
        arrived.push(`${incoming.method} ${incoming.url}`);
        incoming.resume().on("end", () => outgoing.end("ok"));
      },
      {
        proxy: {
          limits: { headersTimeoutMs: 200, streamIdleMs: 600 },
          // Lets names with underscores such as __proto__ through to policies.
          headersWithUnderscoresAction: "ALLOW",
        },
      },
    );
  });
  after(cleanUp);
  beforeEach(() => {
    arrived = [];
  });

  for (const [name, bytes, status] of REFUSED) {
    it(`${name} is ${status} with the proxy's own error, and does not reach the upstream`, async () => {
      const received = await raw(rig.port, bytes, 2_000);
      assert.equal(received.match(/HTTP\/1\.1 \d/g)?.length, 1, received);
      assert.match(received, new RegExp(`^HTTP/1\\.1 ${status} `));
      assert.match(received, /\r\ncontent-type: application\/problem\+json\r\n/);
      assert.match(received, /\r\nx-request-id: [0-9a-f-]{36}\r\n/);
      assert.match(received, /"code":"PURSER_PROXY_BAD_REQUEST"/);
      assert.deepEqual(arrived, []);
    });
  }

  it("headers that never end are 408", async () => {
    const received = await raw(rig.port, "GET / HTTP/1.1\r\nhost: a\r\nx: ", 1_500);
    assert.match(received, /^HTTP\/1\.1 408 /);
  });

  it("a stalled body is 408, and its connection closes", async () => {
    const received = await raw(
      rig.port,
      "POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\nabc",
      1_500,
    );
    assert.match(received, /^HTTP\/1\.1 408 [^]*connection: close/i);
  });

  it("a body whose chunks turn out malformed is 400, and its connection closes", async () => {
    const received = await raw(rig.port, [
      "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n",
      "nonsense\r\n",
    ]);
    assert.match(received, /^HTTP\/1\.1 400 [^]*connection: close/i);
  });

  it("an upgrade that the upstream does not accept is an ordinary request", async () => {
    const received = await raw(
      rig.port,
      "GET /ws HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n",
    );
    assert.match(received, /^HTTP\/1\.1 200 /);
    assert.deepEqual(arrived, ["GET /ws"]);
  });

  it("paths are normalized before policies and upstreams see them", async () => {
    for (const [sent, seen] of [
      ["/public/../admin", "/admin"],
      ["/public/%2e%2E/admin?x=/../y", "/admin?x=/../y"],
      ["/public\\..\\admin", "/admin"],
      ["/%61dmin", "/admin"],
      ["/./a/./b/.", "/a/b/"],
      ["/../../..", "/"],
      ["/a%2f%2Fb", "/a%2F%2Fb"],
      ["//a//b", "/a/b"],
    ] as const) {
      arrived = [];
      rig.policy.checks.length = 0;
      await raw(rig.port, `GET ${sent} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n`);
      assert.deepEqual(arrived, [`GET ${seen}`]);
      assert.equal(groupOf(rig.policy.checks, "request")["path"], seen);
    }
  });

  it("paths that servers read differently are refused", async () => {
    for (const path of [
      "/%%361dmin",
      "/x/%%32e%%32e/admin",
      "/%00",
      "/a%0d%0ab",
      "/a%2F..%2Fb",
      "/x/..;/admin",
    ]) {
      arrived = [];
      rig.policy.checks.length = 0;
      const answer = await raw(rig.port, `GET ${path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n`);
      assert.match(answer, /^HTTP\/1\.1 400 /, path);
      assert.deepEqual([arrived, rig.policy.checks], [[], []], path);
    }
  });

  it("the authority of an absolute target overrides the Host header", async () => {
    rig.policy.checks.length = 0;
    await raw(rig.port, "GET http://real/x HTTP/1.1\r\nhost: other\r\nconnection: close\r\n\r\n");
    const request = groupOf(rig.policy.checks, "request") as Record<string, Record<string, string>>;
    assert.equal(request["host"], "real");
    assert.equal(request["headers"]?.["host"], "real");
  });

  it("policies see headers as UTF-8 text, and addresses in canonical form", async () => {
    rig.policy.checks.length = 0;
    const lines = ["x-user: José Łukasz", "x-user: José", "x-old: Jos\xe9"];
    const bytes = lines.map((line) =>
      line.startsWith("x-old") ? line : Buffer.from(line).toString("latin1"),
    );
    await raw(rig.port, `GET / HTTP/1.1\r\nhost: a\r\n${bytes.join("\r\n")}\r\nconnection: close\r\n\r\n`);
    const request = groupOf(rig.policy.checks, "request") as Record<string, Record<string, unknown>>;
    assert.equal(request["headers"]?.["x-user"], "José Łukasz, José");
    assert.deepEqual(request["repeated_headers"]?.["x-user"], ["José Łukasz", "José"]);
    assert.equal(request["headers"]?.["x-old"], "José");
    assert.deepEqual(groupOf(rig.policy.checks, "source")["ip"], "127.0.0.1");
  });

  it("policies see every value of a repeated header", async () => {
    rig.policy.checks.length = 0;
    await raw(
      rig.port,
      "GET / HTTP/1.1\r\nhost: a\r\nauthorization: one\r\nauthorization: two\r\n__proto__: x\r\n\r\n",
      50,
    );
    const headers = groupOf(rig.policy.checks, "request")["headers"] as Record<string, string> | undefined;
    assert.equal(headers?.["authorization"], "one, two");
    assert.ok(Object.hasOwn(headers ?? {}, "__proto__"));
  });

  it("pipelined requests run one at a time, and a thousand queued ones end the connection", async () => {
    const many = "GET / HTTP/1.1\r\nhost:a\r\n\r\n".repeat(2_000);
    await raw(rig.port, many, 300);
    assert.ok(arrived.length <= 1, `${arrived.length} were forwarded`);
  });

  it("garbage and hang-ups at every point leave the proxy serving", async () => {
    const whole = "POST /x HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\nhello";
    for (let cut = 1; cut < whole.length; cut += 3) {
      const socket = connect(rig.port, "127.0.0.1");
      socket.on("error", () => {});
      socket.write(whole.slice(0, cut));
      await later(1);
      if (cut % 2 === 0) socket.resetAndDestroy();
      else socket.destroy();
    }
    assert.equal((await call(rig.port)).status, 200);
    assert.deepEqual(
      rig.logger.lines.filter(({ level }) => level === "error"),
      [],
    );
  });
});
