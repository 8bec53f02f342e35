// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FluentServer } from "@fluent-org/logger";
import { decodeMultiStream, encode } from "@msgpack/msgpack";
import type { AdapterHandler, LogEntryInstance, PartialFailure } from "../../plugins/sdk/index.ts";
import {
  createMemoryFiles,
  createRealTime,
  createTestContext,
  decisionInstance,
  describeAdapterContract,
  type FakeBackend,
  logEntryInstance,
  metricInstance,
  startFakeBackend,
  traceSpanInstance,
} from "../../plugins/sdk/testing/index.ts";
import { eventually } from "../../test/support/eventually.ts";
import { requireService } from "../../test/support/services.ts";
import { fluentd } from "./index.ts";

const { signal } = new AbortController();
const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

function build(config: Readonly<Record<string, unknown>>, files = createMemoryFiles()) {
  const time = createRealTime();
  const handler = fluentd.build(createTestContext(fluentd, config, { time, files }));
  cleanups.push(async () => {
    await handler.close();
    assert.equal(time.scheduled, 0);
    assert.equal(files.watching, 0);
  });
  return handler;
}

const log = async (handler: AdapterHandler, ...entries: Partial<LogEntryInstance>[]) =>
  (await handler.logentry?.(entries.map(logEntryInstance), { signal })) as PartialFailure | undefined;

/** Speaks to a connection by a script that gets each value. */
const speaking =
  (onValue: (value: unknown, socket: Socket) => void, first?: unknown) =>
  async (socket: Socket): Promise<void> => {
    if (first !== undefined) socket.write(encode(first));
    try {
      for await (const value of decodeMultiStream(socket)) onValue(value, socket);
    } catch {
      // The client may end in any way.
    }
  };

async function serve(script: (socket: Socket) => unknown): Promise<FakeBackend> {
  const backend = await startFakeBackend((socket) => void script(socket));
  cleanups.push(() => backend.close());
  return backend;
}

const chunkOf = (value: unknown) => ((value as unknown[])[2] as { chunk?: string }).chunk;
const acknowledge = (value: unknown, socket: Socket) => void socket.write(encode({ ack: chunkOf(value) }));

describeAdapterContract(fluentd, {
  backend: {
    config: ({ host, port }) => ({ host, port, connectTimeout: "200ms" }),
    permanent: (socket) => void socket.write(encode(["HELO", { nonce: "n", auth: "", keepalive: true }])),
    retryable: (socket) => void socket.once("data", () => socket.write(encode({ ack: "another chunk" }))),
  },
});

describe("the adapter fluentd with the FluentServer of fluent-org", () => {
  interface Entry {
    readonly tag: string;
    readonly time: { readonly epoch: number; readonly nano: number };
    readonly record: Record<string, unknown>;
  }

  const receive = async (options: ConstructorParameters<typeof FluentServer>[0] = {}) => {
    const server = new FluentServer({ ...options, listenOptions: { port: 0, host: "127.0.0.1" } });
    const entries: Entry[] = [];
    server.on("entry", (tag: string, time: Entry["time"], record: Entry["record"]) =>
      entries.push({ tag, time, record }),
    );
    await server.listen();
    cleanups.push(() => server.close());
    return { entries, port: server.port as number };
  };

  for (const compress of ["none", "gzip"]) {
    it(`delivers each template's instances, with compress: ${compress}`, async () => {
      const { entries, port } = await receive();
      const handler = build({ port, compress });
      await log(handler, { timestampMs: 1_767_225_600_123.456 }, { severity: "ERROR" });
      await handler.metric?.([metricInstance({ labels: { code: "200" } })], { signal });
      await handler.tracespan?.([traceSpanInstance()], { signal });
      await handler.decision?.([decisionInstance()], { signal });
      assert.deepEqual(
        entries.map(({ tag }) => tag),
        ["purser.logentry", "purser.logentry", "purser.metric", "purser.tracespan", "purser.decision"],
      );
      const [entry, , metric, span, decision] = entries;
      assert.deepEqual([entry?.time.epoch, entry?.time.nano], [1_767_225_600, 123_456_000]);
      assert.deepEqual(entry?.record, {
        template: "logentry",
        name: "access-log",
        severity: "INFO",
        variables: { method: "GET", path: "/reviews/0", code: 200 },
      });
      assert.deepEqual(metric?.record["labels"], { code: "200" });
      assert.equal(span?.record["traceId"], "0af7651916cd43dd8448eb211c80319c");
      assert.match(JSON.stringify(decision?.record["decision"]), /"code":"OK"/);
    });
  }

  it("delivers non-ASCII, huge, absent and invalid values", async () => {
    const { entries, port } = await receive();
    const variables = {
      "Zoë 🛳️": 'שלום\u0000\ud800 \\ud800 \\"',
      absent: undefined,
      none: null,
      huge: "x".repeat(1_000_000),
      big: 2n ** 70n,
      number: -1.5e300,
    };
    const handler = build({ port, tag: "{template}.{name}" });
    await log(handler, { name: "a b\n", variables, timestampMs: Number.NaN });
    await handler.metric?.([metricInstance({ value: Number.NaN })], { signal });
    const [entry, metric] = entries;
    assert.deepEqual([entry?.tag, entry?.time.epoch], ["logentry.a_b_", 0]);
    const received = entry?.record["variables"] as Record<string, unknown>;
    assert.deepEqual(Object.keys(received), ["Zoë 🛳️", "none", "huge", "big", "number"]);
    assert.equal(received["Zoë 🛳️"], 'שלום\u0000\ufffd \\ud800 \\"');
    assert.deepEqual([received["big"], received["number"]], ["1180591620717411303424", -1.5e300]);
    assert.match(String(received["huge"]), /more characters\)$/);
    assert.equal(metric?.record["value"], null);
  });

  it("redacts credentials in decisions", async () => {
    const { entries, port } = await receive();
    const headers = { cookie: "s3cret", "x-session": "s3cret", "x-user": "zoë" };
    await build({ port, redact: ["request.headers.x-session"] }).decision?.(
      [decisionInstance({ bag: { request: { headers } } })],
      { signal },
    );
    assert.doesNotMatch(JSON.stringify(entries), /s3cret/);
    assert.match(JSON.stringify(entries), /"x-user":"zoë"/);
  });

  describe("and a shared key", () => {
    const security = {
      serverHostname: "aggregator",
      sharedKey: "schlüssel",
      authorize: true,
      userDict: { ada: "pässword" },
    };
    const credentials = { sharedKey: "schlüssel", username: "ada", password: "pässword" };

    it("proves key and user", async () => {
      const { entries, port } = await receive({ security });
      const handler = build({ port, ...credentials });
      await Promise.all([log(handler, {}), handler.metric?.([metricInstance()], { signal })]);
      await log(handler, {});
      assert.equal(entries.length, 3);
    });

    it("is refused permanently with a wrong key, a wrong password or none", async () => {
      const { port, entries } = await receive({ security });
      const { sharedKey } = credentials;
      for (const [config, message] of [
        [{ ...credentials, sharedKey: "other" }, /refused the authentication: shared key mismatch/],
        [{ ...credentials, password: "other" }, /refused the authentication: username\/password mismatch/],
        [{ sharedKey }, /asks for a username and a password/],
        [{}, /asks for a shared key/],
      ] as const) {
        await assert.rejects(log(build({ port, ...config }), {}), { retryable: false, message });
      }
      assert.deepEqual(entries, []);
    });
  });

  it("speaks TLS, and refuses a certificate that caFile does not vouch for", async function () {
    const openssl = requireService(this, "openssl");
    const folder = mkdtempSync(join(tmpdir(), "purser-fluentd-"));
    cleanups.push(() => rmSync(folder, { recursive: true, force: true }));
    const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
    const request = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
    const names = ["-subj", "/CN=aggregator", "-addext", "subjectAltName=DNS:aggregator"];
    execFileSync(openssl, [...request, ...names, "-days", "2", "-keyout", key, "-out", cert], {
      stdio: "pipe",
    });
    const { entries, port } = await receive({
      tlsOptions: { key: readFileSync(key), cert: readFileSync(cert) },
    });
    const files = () => createMemoryFiles({ "ca.pem": readFileSync(cert, "utf8") });
    const config = { port, tls: true, caFile: "ca.pem", serverName: "aggregator" };
    await log(build(config, files()), {});
    assert.equal(entries.length, 1);
    const { serverName, ...nameless } = config;
    await assert.rejects(log(build(nameless, files()), {}), { retryable: false });
    await assert.rejects(log(build({ port, tls: true, serverName }), {}), { retryable: false });
    await assert.rejects(log(build(config), {}), { retryable: true, message: /has not been read/ });
  });
});

describe("the adapter fluentd", () => {
  it("retries a batch with the same chunk ids, and does not repeat chunks that arrived", async () => {
    const seen: { tag: string; chunk: string | undefined }[] = [];
    let broken = true;
    const server = await serve(
      speaking((value, socket) => {
        const tag = String((value as unknown[])[0]);
        seen.push({ tag, chunk: chunkOf(value) });
        if (!broken || tag === "a") acknowledge(value, socket);
        else setTimeout(() => socket.destroy(), 50);
      }),
    );
    const handler = build({ port: server.address.port, tag: "{name}" });
    const batch = ["a", "b", "a"].map((name) => logEntryInstance({ name }));
    await assert.rejects(async () => handler.logentry?.(batch, { signal }), {
      code: "PURSER_HANDLER_FAILED",
      retryable: true,
    });
    assert.equal(await handler.healthy?.(), false);
    broken = false;
    await handler.logentry?.(batch, { signal });
    assert.equal(await handler.healthy?.(), true);
    assert.deepEqual(
      seen.map(({ tag }) => tag),
      ["a", "b", "b"],
    );
    assert.equal(seen[1]?.chunk, seen[2]?.chunk);
    await handler.logentry?.([...batch], { signal });
    assert.equal(new Set(seen.map(({ chunk }) => chunk)).size, 4);
  });

  it("takes a missing acknowledgement for a failure, and makes a new connection", async () => {
    let silent = true;
    const server = await serve(speaking((value, socket) => silent || acknowledge(value, socket)));
    const handler = build({ port: server.address.port });
    const batch = [logEntryInstance()];
    const late = async () => handler.logentry?.(batch, { signal: AbortSignal.timeout(100) });
    await assert.rejects(late, { code: "PURSER_HANDLER_TIMEOUT", retryable: true });
    silent = false;
    await handler.logentry?.(batch, { signal });
    assert.equal(server.accepted, 2);
    await eventually(async () => assert.equal(server.connections, 1));
  });

  it("has several batches under way on one connection", async () => {
    const waiting: (() => void)[] = [];
    const server = await serve(speaking((value, socket) => waiting.push(() => acknowledge(value, socket))));
    const handler = build({ port: server.address.port });
    const both = [log(handler, {}), Promise.resolve(handler.metric?.([metricInstance()], { signal }))];
    await eventually(async () => assert.equal(waiting.length, 2));
    for (const answer of waiting.toReversed()) answer();
    await Promise.all(both);
    assert.equal(server.accepted, 1);
  });

  it("does not send a chunk twice whose retry waits for the same connection", async () => {
    const chunks: unknown[] = [];
    const nonce = "0123456789abcdef";
    const server = await serve((socket: Socket) => {
      setTimeout(() => void socket.write(encode(["HELO", { nonce, auth: "", keepalive: true }])), 200);
      return speaking((value) => {
        const [kind, , salt] = value as [string, string, string];
        if (kind !== "PING") {
          chunks.push(chunkOf(value));
          return acknowledge(value, socket);
        }
        const digest = createHash("sha512").update(`${salt}server${nonce}key`).digest("hex");
        socket.write(encode(["PONG", true, "", "server", digest]));
      })(socket);
    });
    const handler = build({ port: server.address.port, sharedKey: "key" });
    const batch = [logEntryInstance()];
    await assert.rejects(async () => handler.logentry?.(batch, { signal: AbortSignal.timeout(50) }), {
      code: "PURSER_HANDLER_TIMEOUT",
    });
    await handler.logentry?.(batch, { signal });
    assert.deepEqual([chunks.length, server.accepted], [1, 1]);
  });

  it("refuses a server that does not know the shared key", async () => {
    const server = await serve(
      speaking(
        (_, socket) => void socket.write(encode(["PONG", true, "", "server", "0".repeat(128)])),
        ["HELO", { nonce: "n", auth: "", keepalive: true }],
      ),
    );
    const handler = build({ port: server.address.port, sharedKey: "key" });
    await assert.rejects(log(handler, {}), { retryable: false, message: /does not know the shared key/ });
  });

  it("gives up a handshake that does not come", async () => {
    const server = await serve((socket) => socket.resume());
    const handler = build({ port: server.address.port, sharedKey: "key", connectTimeout: "100ms" });
    await assert.rejects(log(handler, {}), { retryable: true, message: /handshake took more than 100 ms/ });
    assert.equal(server.accepted, 1);
  });

  it("takes no endless message from a server", async () => {
    const server = await serve((socket: Socket) => {
      socket.on("data", () => {});
      // A text of 4 GiB begins.
      socket.write(Buffer.from([0xdb, 0xff, 0xff, 0xff, 0xff]));
      for (let index = 0; index < 20; index++) socket.write(Buffer.alloc(65_536));
    });
    await assert.rejects(log(build({ port: server.address.port }), {}), {
      retryable: true,
      message: /more than 65536 bytes/,
    });
  });

  it("opens a connection for each batch when the server wants it so", async () => {
    const nonce = "n";
    const server = await serve(
      speaking(
        (value, socket) => {
          const [kind, , salt] = value as [string, string, string];
          if (kind !== "PING") return acknowledge(value, socket);
          const digest = createHash("sha512").update(`${salt}server${nonce}key`).digest("hex");
          socket.write(encode(["PONG", true, "", "server", digest]));
        },
        ["HELO", { nonce, auth: "", keepalive: false }],
      ),
    );
    const handler = build({ port: server.address.port, sharedKey: "key" });
    await log(handler, {});
    await eventually(async () => assert.equal(server.connections, 0));
    await log(handler, {});
    assert.equal(server.accepted, 2);
  });

  it("waits for no acknowledgement with ack: false, and asks for none", async () => {
    const messages: unknown[][] = [];
    const server = await serve(speaking((value) => messages.push(value as unknown[])));
    const handler = build({ port: server.address.port, ack: false });
    await log(handler, {}, {});
    await eventually(async () => assert.deepEqual(messages[0]?.[2], { size: 2 }));
  });

  it("splits a batch by its bytes, and refuses only the event that is too large", async () => {
    const messages: unknown[][] = [];
    const server = await serve(
      speaking((value, socket) => {
        messages.push(value as unknown[]);
        acknowledge(value, socket);
      }),
    );
    const handler = build({ port: server.address.port, maxChunkBytes: 2000 });
    const variables = { body: "x".repeat(700) };
    const outcome = await log(handler, ...[1, 2, 3, 4, 5].map(() => ({ variables })), {
      variables: { body: "x".repeat(5000) },
    });
    assert.deepEqual(
      outcome?.refused.map(({ index, error }) => [index, (error as { code?: string }).code]),
      [[5, "PURSER_REQUEST_TOO_LARGE"]],
    );
    assert.equal(messages.length, 3);
    assert.ok(messages.every(([, events]) => (events as Uint8Array).length <= 2000));
  });

  it("finds faults of the configuration that the schema cannot express", () => {
    const faultsOf = (config: object) =>
      fluentd.check?.({ ...createTestContext(fluentd).config, ...config }).map((fault) => fault.path[0]);
    assert.deepEqual(faultsOf({}), []);
    assert.deepEqual(faultsOf({ caFile: "a", serverName: "b" }), ["caFile", "serverName"]);
    assert.deepEqual(faultsOf({ sharedKey: "" }), ["sharedKey"]);
    assert.deepEqual(faultsOf({ username: "ada" }), ["username", "username"]);
    assert.deepEqual(faultsOf({ connectTimeout: "0s" }), ["connectTimeout"]);
  });
});
