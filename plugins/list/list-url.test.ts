// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { createServer, type IncomingMessage, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { createHandlerHooks } from "../../core/hooks/hooks.ts";
import { isPurserError, type PluginHandler } from "../sdk/index.ts";
import {
  createTestContext,
  describePluginContract,
  type FakeBackend,
  startFakeBackend,
  type TestContext,
} from "../sdk/testing/index.ts";
import { list } from "./index.ts";

describePluginContract(
  { ...list, name: "list, with a URL that refuses" },
  { config: { url: "http://127.0.0.1:1/list", refresh: "1s" } },
);

const DENIED = "PERMISSION_DENIED";
const WAIT_MS = 5_000;

async function until(condition: () => boolean, what: string): Promise<void> {
  const endMs = performance.now() + WAIT_MS;
  while (!condition()) {
    assert.ok(performance.now() < endMs, `${what} did not happen within ${WAIT_MS} ms`);
    await new Promise((resolve) => void setTimeout(resolve, 2));
  }
}

describe("the URL of a list", () => {
  let server: Server;
  let url: string;
  let requests: IncomingMessage[] = [];
  let underWay = 0;
  let mostUnderWay = 0;
  let reply: RequestListener;
  let context: TestContext<unknown>;
  let handler: PluginHandler | undefined;
  let backend: FakeBackend | undefined;

  before(async () => {
    server = createServer((request, response) => {
      requests.push(request);
      mostUnderWay = Math.max(mostUnderWay, ++underWay);
      response.once("close", () => underWay--);
      reply(request, response);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/list?key=s3cret`;
  });
  beforeEach(() => {
    requests = [];
    mostUnderWay = 0;
  });
  afterEach(async () => {
    await handler?.close();
    await context.http.close();
    await backend?.close();
    [handler, backend] = [undefined, undefined];
    assert.equal(context.time.scheduled, 0);
    assert.ok(!JSON.stringify(context.logger.lines).includes("s3cret"));
  });
  after(() => {
    server.close();
    server.closeAllConnections();
  });

  const serve = (text: string | Uint8Array, headers: Record<string, string> = {}, status = 200): void => {
    reply = (_request, response) => void response.writeHead(status, headers).end(text);
  };
  const build = (config: Readonly<Record<string, unknown>> = {}): ((value: string) => Promise<string>) => {
    // A step of virtual time must not reach the timeout of the load that it begins.
    const made = createTestContext(list, { url, timeout: "10m", ...config });
    context = made;
    handler = list.build(made);
    const hooks = createHandlerHooks();
    handler.apply(hooks);
    return async (value) => {
      try {
        return (await hooks.check.for("listentry").promise({ name: "v", value }))?.status.code ?? "none";
      } catch (error) {
        assert.ok(isPurserError(error), String(error));
        return `${error.code} ${error.retryable}: ${error.message.replace(/:\d+\//, "/")}`;
      }
    };
  };
  /** Number of loads that have ended: each writes one of these lines. */
  const loads = (): number =>
    context.logger.lines.filter(({ message }) => /^list (loaded|unchanged|cannot be loaded)$/.test(message))
      .length;
  /** Lets the next load begin, and waits for its end. */
  const load = async (afterMs: number): Promise<void> => {
    const before = loads();
    context.time.advance(afterMs);
    await until(() => loads() > before, "a load");
    // The next load is scheduled a promise later.
    await new Promise((resolve) => void setImmediate(resolve));
  };
  const warnings = (): readonly unknown[] =>
    context.logger.lines.filter(({ level }) => level === "warn").map(({ fields }) => fields["error"]);

  const NOT_LOADED =
    "PURSER_HANDLER_FAILED true: the list at http://127.0.0.1/list has not been loaded so far";

  it("is an error until its first load, and answers with inline entries meanwhile", async () => {
    serve("\uFEFF# people\r\nada\r\n\r\n  Zoë 🛳️ \r\n");
    const ask = build({ entries: ["root"] });
    assert.equal(await ask("ada"), NOT_LOADED);
    assert.equal(await ask("root"), "OK");
    assert.equal(requests.length, 0, "build did I/O");
    await load(0);
    assert.deepEqual(await Promise.all(["ada", "Zoë 🛳️", "root", "eve", "# people"].map(ask)), [
      "OK",
      "OK",
      "OK",
      DENIED,
      DENIED,
    ]);
  });

  it("is used together with a file, whose onUnavailable holds for the file alone", async () => {
    serve("ada");
    const ask = build({ file: "users", onUnavailable: "allow" });
    assert.equal(await ask("ada"), NOT_LOADED);
    await load(0);
    assert.equal(await ask("eve"), "OK", "the file has not been read");
    context.files.set("users", "grace");
    assert.deepEqual(await Promise.all(["ada", "grace", "eve"].map(ask)), ["OK", "OK", DENIED]);
  });

  it("is sent the token and what it said of its copy, and may answer that nothing changed", async () => {
    serve("ada", { etag: '"v1"', "last-modified": "Thu, 01 Jan 2026 00:00:00 GMT" });
    const ask = build({ token: "t0ken" });
    await load(0);
    assert.equal(requests[0]?.headers.authorization, "Bearer t0ken");
    assert.equal(requests[0]?.headers["if-none-match"], undefined);
    serve("", {}, 304);
    await load(66_000);
    assert.equal(requests[1]?.headers["if-none-match"], '"v1"');
    assert.equal(requests[1]?.headers["if-modified-since"], "Thu, 01 Jan 2026 00:00:00 GMT");
    assert.equal(await ask("ada"), "OK");
    serve("grace", { etag: '"v2"' });
    await load(66_000);
    assert.deepEqual(await Promise.all(["ada", "grace"].map(ask)), [DENIED, "OK"]);
    serve("grace");
    await load(66_000);
    assert.deepEqual(
      [requests[3]?.headers["if-none-match"], requests[3]?.headers["if-modified-since"]],
      ['"v2"', undefined],
    );
    assert.deepEqual(warnings(), []);
  });

  it("is loaded again within 10 % of refresh, one request at a time", async () => {
    serve("ada");
    const ask = build({ refresh: "10s", timeout: "1m" });
    await load(0);
    context.time.advance(8_999);
    assert.equal(requests.length, 1);
    reply = () => {};
    context.time.advance(2_001);
    await until(() => requests.length === 2, "a second request");
    context.time.advance(50_000);
    assert.equal(requests.length, 2);
    assert.equal(mostUnderWay, 1);
    assert.equal(await ask("ada"), "OK", "checks do not wait for a load");
    context.time.advance(10_000);
    await until(() => warnings().length === 1, "a warning");
    assert.match(String(warnings()[0]), /did not answer in time/);
  }).timeout(20_000);

  it("cannot be confirmed before there is a copy", async () => {
    serve("", {}, 304);
    const ask = build();
    await load(0);
    assert.equal(await ask("ada"), NOT_LOADED);
    assert.match(String(warnings()[0]), /answered 304 although there is no copy/);
  });

  it("is tried again a second after a first failure, then ever less often, and logs that once", async () => {
    serve("no", {}, 500);
    const ask = build({ refresh: "4s" });
    await load(0);
    for (const afterMs of [1_100, 2_200, 4_400, 4_400]) {
      context.time.advance(afterMs * 0.7);
      const before = requests.length;
      await load(afterMs * 0.3 + 1);
      assert.equal(requests.length, before + 1);
    }
    assert.equal(warnings().length, 1);
    serve("ada");
    await load(4_401);
    assert.equal(await ask("ada"), "OK");
    assert.ok(context.logger.lines.some(({ message }) => message === "list is available again"));
  });

  const html = { "content-type": "text/html; charset=utf-8" };
  const bad: readonly (readonly [string, () => void, Record<string, unknown>, RegExp])[] = [
    ["a server error", () => serve("", {}, 503), {}, /answered 503/],
    ["a refusal", () => serve("", {}, 403), {}, /answered 403/],
    ["a redirect", () => serve("", { location: "/x" }, 302), {}, /answered 302/],
    ["a part of the list", () => serve("eve", {}, 206), {}, /answered 206, not 200/],
    ["no content", () => serve("", {}, 204), {}, /answered 204, not 200/],
    ["a web page", () => serve("eve", html), {}, /a web page/],
    ["text that is not UTF-8", () => serve(Uint8Array.of(0x65, 0xff)), {}, /not UTF-8/],
    ["an encoding", () => serve("eve", { "content-encoding": "gzip" }), {}, /encoded as gzip/],
    ["too many bytes", () => serve(`eve${" ".repeat(100)}`), { maxBytes: 100 }, /103 bytes, more than 100/],
    ["too many bytes for the client", () => serve("x".repeat(5_000_000)), {}, /larger than 4194304 bytes/],
    ["too many entries", () => serve("eve\nada\nbob"), { maxEntries: 2 }, /3 entries, more than 2/],
    [
      "too many patterns",
      () => serve("eve*\n".repeat(1_001)),
      { type: "glob" },
      /1001 entries, more than 1000/,
    ],
    [
      "bad lines",
      () => serve("eve\n".repeat(7)),
      { type: "cidr" },
      /^line 1: "eve": is not an IP address .*; line 5: .*; and 2 more$/,
    ],
  ];
  for (const [what, serveBad, config, expected] of bad)
    it(`keeps its last good copy when it is given ${what}`, async () => {
      serve(config["type"] === "cidr" ? "10.0.0.0/8" : "ada", { etag: '"good"' });
      const ask = build(config);
      await load(0);
      serveBad();
      await load(66_000);
      await until(() => warnings().length === 1, "a warning");
      assert.match(String(warnings()[0]), expected);
      assert.equal(await ask(config["type"] === "cidr" ? "10.1.1.1" : "ada"), "OK");
      serve("", {}, 304);
      await load(1_101);
      assert.equal(requests.at(-1)?.headers["if-none-match"], '"good"');
    });

  it("keeps its copy while the server resets, breaks off or hangs", async () => {
    let script: Parameters<typeof startFakeBackend>[0] = (socket) =>
      socket.once("data", () => socket.end("HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nada"));
    backend = await startFakeBackend((socket) => script(socket));
    const ask = build({ url: `http://127.0.0.1:${backend.address.port}/`, timeout: "2s" });
    const failures = (): number =>
      context.logger.lines.filter(({ message }) => message === "list cannot be loaded").length;
    context.time.advance(0);
    await until(() => context.logger.lines.length === 1, "the first load");
    const scripts: (typeof script)[] = [
      (socket) => socket.once("data", () => socket.resetAndDestroy()),
      (socket) => socket.once("data", () => socket.end("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\neve")),
      (socket) => socket.resume(),
    ];
    for (const [index, next] of scripts.entries()) {
      script = next;
      const accepted = backend.accepted;
      context.time.advance(index === 0 ? 66_000 : 4_400);
      await until(() => (backend?.accepted ?? 0) > accepted, "a connection");
      if (index === 2) context.time.advance(2_000);
      await until(() => failures() === index + 1, `failure ${index + 1}`);
      assert.deepEqual(await Promise.all(["ada", "eve"].map(ask)), ["OK", DENIED]);
    }
  });

  it("keeps a stale copy, with one warning, or fails when configured so", async () => {
    for (const onStale of ["keep", "fail"]) {
      serve("ada");
      const ask = build({ entries: ["root"], refresh: "10s", staleAfter: "1m", onStale });
      await load(0);
      serve("", {}, 500);
      // No failed load confirms the copy.
      for (let time = 0; time < 5; time++) await load(11_000);
      assert.equal(await ask("ada"), "OK");
      await load(11_000);
      const stale = onStale === "keep" ? "OK" : /last confirmed more than 60000 ms ago$/;
      for (let time = 0; time < 2; time++) {
        const answer = await ask("ada");
        if (typeof stale === "string") assert.equal(answer, stale);
        else assert.match(answer, stale);
      }
      assert.equal(await ask("root"), "OK");
      const said = context.logger.lines.filter(({ message }) => message === "list copy is stale");
      assert.equal(said.length, onStale === "keep" ? 1 : 0);
      serve("ada");
      await load(11_000);
      assert.equal(await ask("ada"), "OK");
      await handler?.close();
      await context.http.close();
    }
  });

  it("changes while checks run: each answer is of the old list or the new one", async () => {
    const text = (version: number): string =>
      Array.from({ length: 20_000 }, (_, index) => `v${version}-${index}`).join("\n");
    serve(text(0));
    const ask = build({ refresh: "1s" });
    await load(0);
    for (let version = 1; version <= 5; version++) {
      serve(text(version));
      context.time.advance(1_101);
      for (let round = 0; ; round++) {
        const answers = await Promise.all([`v${version}-0`, `v${version}-19999`].map(ask));
        assert.equal(answers[0], answers[1]);
        if (answers[0] === "OK") break;
        assert.equal(await ask(`v${version - 1}-7`), "OK");
        assert.ok(round < 2_000);
        await new Promise((resolve) => void setTimeout(resolve, 1));
      }
      assert.equal(await ask(`v${version - 1}-7`), DENIED);
    }
  });

  it("shortens the validity of answers, and is not asked again after close", async () => {
    serve("ada");
    build();
    await load(0);
    const hooks = createHandlerHooks();
    handler?.apply(hooks);
    const answer = await hooks.check.for("listentry").promise({ name: "v", value: "ada" });
    assert.equal(answer?.validDurationMs, 5_000);
    await handler?.close();
    context.time.advance(600_000);
    assert.equal(requests.length, 1);
  });

  it("refuses a configuration that cannot be meant", () => {
    const cases: readonly (readonly [Record<string, unknown>, RegExp])[] = [
      [{ url: "ftp://a/b" }, /url: url is not an http or https URL/],
      [{ url: "/list" }, /url: url is not/],
      [{ url: "http://ada:s3cret@a/" }, /url: url has a user or password: use token/],
      [{ url: "http://a/#b" }, /url: url has a fragment/],
      [{ token: "a\r\nb" }, /token: token has a character/],
      [{ refresh: "500ms" }, /refresh: refresh must be 1s at least/],
      [{ timeout: "0s" }, /timeout: timeout must be 1ms at least/],
      [{ staleAfter: "60s" }, /staleAfter: staleAfter must be longer than refresh/],
      [{ onStale: "fail" }, /onStale: onStale: fail needs staleAfter/],
    ];
    for (const [config, expected] of cases)
      assert.throws(
        () => list.build(createTestContext(list, { url, ...config })),
        (error: Error) => expected.test(error.message) && !error.message.includes("s3cret"),
        String(expected),
      );
    serve("ada");
    build();
  });
});
