// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { expectDeclaredAnswers } from "../../test/support/declared-answers.ts";
import { createHttpClient } from "../../plugins/sdk/http/client.ts";
import assert from "node:assert/strict";
import { connect } from "node:net";
import { ERROR_CATALOG } from "../../kernel/error-catalog.ts";
import { isPurserError } from "../../kernel/errors.ts";
import {
  createCollectingLogger,
  createMemoryFiles,
  createRealTime,
  createSeededRandom,
} from "../../plugins/sdk/testing/index.ts";
import {
  accessPolicy,
  adapterDeclaration,
  expression,
  quotaPolicy,
  rule,
  snapshotOf,
} from "../../test/support/snapshots.ts";
import { createMixer } from "../mixer.ts";
import { type MixerHttpSettings, startMixerHttpServer } from "./http-server.ts";
import { expositionOf } from "../../test/support/exposition.ts";

const JSON_TYPE = { "content-type": "application/json" };

const ends: (() => Promise<void>)[] = [];

async function serve(settings: Partial<MixerHttpSettings> = {}) {
  const time = createRealTime();
  const runtime = {
    clock: time.clock,
    http: () => createHttpClient(time.clock),
    spoolFiles: () => assert.fail("no spool here"),
    buildInThread: () => assert.fail("no thread here"),
    scheduler: time.scheduler,
    random: createSeededRandom(),
    logger: createCollectingLogger(),
  };
  const mixer = createMixer({ ...runtime, files: () => createMemoryFiles() });
  const server = await startMixerHttpServer({ mixer, ...runtime, host: "127.0.0.1", port: 0, ...settings });
  ends.push(async () => {
    await server.close(100);
    await mixer.close(100);
    time.cancelAll();
  });
  const url = `http://127.0.0.1:${server.port}`;
  const post = (path: string, body: unknown) =>
    fetch(url + path, {
      method: "POST",
      headers: JSON_TYPE,
      body: typeof body === "string" ? body : JSON.stringify(body),
    });
  return { mixer, server, url, post, logger: runtime.logger };
}

type Json = Record<string, never>;
const json = async (response: Response): Promise<Json> => (await response.json()) as Json;
const codeOf = async (response: Response): Promise<string> =>
  ((await response.json()) as { error: { code: string } }).error.code;

/** All that the server sends on one connection until it closes it. */
function raw(port: number, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1", () => socket.write(text));
    let received = "";
    socket.setTimeout(5_000, () => socket.destroy(new Error(`nothing more came after: ${received}`)));
    socket.on("data", (chunk: Buffer) => (received += chunk.toString()));
    socket.on("error", reject);
    socket.on("close", () => resolve(received));
  });
}

describe("the mixer over HTTP", () => {
  expectDeclaredAnswers("mixer");
  afterEach(async () => {
    for (const end of ends.splice(0)) await end();
  });

  it("checks, allocates and accepts reports", async () => {
    const { mixer, post } = await serve();
    await mixer.apply(snapshotOf({ quotaPolicies: [quotaPolicy("q")] }));
    const checked = await post("/v1/check", {
      attributes: { request: { method: "GET" } },
      deduplicationId: "1",
    });
    assert.equal(checked.status, 200);
    const reply = await json(checked);
    assert.equal(reply["version"], "v1");
    assert.equal((reply["quotas"] as unknown as { granted: number }[])[0]?.granted, 1);
    const charge = { policy: "q", cell: "q{}", limit: 10, leaseMs: 100, amount: 5, bestEffort: true };
    const allocated = await post("/v1/quota", { version: "v1", deduplicationId: "2", charges: [charge] });
    assert.equal((await json(allocated))["kind"], "granted");
    const reported = await post("/v1/report", { bags: [{}, {}] });
    assert.equal(reported.status, 204);
    assert.match(await expositionOf(mixer), /^purser_mixer_report_bags_total 2$/m);
  });

  describe("refuses with a coded error", () => {
    const good = { attributes: {}, deduplicationId: "1" };
    const cases: readonly [string, string, unknown, RegExp][] = [
      ["text that is not JSON", "/v1/check", "{", /not JSON/],
      ["a body that is no object", "/v1/check", [], /the body must be object/],
      ["a missing field", "/v1/check", { attributes: {} }, /deduplicationId/],
      ["an unknown field", "/v1/check", { ...good, atributes: {} }, /atributes/],
      ["a field of the wrong type", "/v1/check", { ...good, attributes: [] }, /^attributes must/],
      [
        "a field deep inside",
        "/v1/quota",
        {
          version: "v",
          deduplicationId: "1",
          charges: [{ policy: "q", cell: "q{}", limit: -1, leaseMs: 0, amount: 1, bestEffort: true }],
        },
        /^charges\[0\]\.limit must/,
      ],
      ["a bag that is none", "/v1/report", { bags: [1] }, /^bags\[0\] must/],
    ];
    for (const [name, path, body, message] of cases) {
      it(name, async () => {
        const { mixer, post } = await serve();
        await mixer.apply(snapshotOf());
        const response = await post(path, body);
        assert.equal(response.status, 400);
        const { error } = (await response.json()) as {
          error: { code: string; message: string; remedy: string };
        };
        assert.equal(error.code, "PURSER_REQUEST_INVALID");
        assert.match(error.message, message);
        assert.equal(error.remedy, ERROR_CATALOG.PURSER_REQUEST_INVALID.remedy);
      });
    }

    it("a compressed body", async () => {
      const { url } = await serve();
      const headers = { ...JSON_TYPE, "content-encoding": "gzip" };
      const response = await fetch(`${url}/v1/check`, { method: "POST", body: "x", headers });
      assert.equal(await codeOf(response), "PURSER_REQUEST_INVALID");
    });

    it("unknown paths, and methods that a path does not support", async () => {
      const { url } = await serve();
      const missing = await fetch(`${url}/v2/check`);
      assert.equal(missing.status, 404);
      assert.equal(await codeOf(missing), "PURSER_NOT_FOUND");
      const wrong = await fetch(`${url}/v1/check`);
      assert.equal(wrong.status, 405);
      assert.equal(wrong.headers.get("allow"), "POST");
      assert.equal(await codeOf(wrong), "PURSER_METHOD_NOT_ALLOWED");
    });

    it("calls before there are documents, as retryable", async () => {
      const { post } = await serve();
      const response = await post("/v1/check", good);
      assert.equal(response.status, 503);
      assert.equal(response.headers.get("retry-after"), "1");
      assert.equal(await codeOf(response), "PURSER_MIXER_UNAVAILABLE");
    });

    it("unexpected errors, without details for the client", async () => {
      const { mixer, post, logger } = await serve();
      await mixer.apply(snapshotOf());
      mixer.check = () => {
        throw new Error("secret detail");
      };
      const response = await post("/v1/check", good);
      assert.equal(response.status, 500);
      const text = await response.text();
      assert.match(text, /PURSER_INTERNAL/);
      assert.doesNotMatch(text, /secret detail/);
      const [line] = logger.lines.filter(({ level }) => level === "error");
      assert.equal(line?.fields["error"], "secret detail");
      assert.equal(line?.fields["requestId"], response.headers.get("x-request-id"));
    });
  });

  describe("refuses requests from other sites' pages", () => {
    const refusedWith = async (headers: Record<string, string>, path = "/v1/config", method = "GET") => {
      const { server } = await serve();
      const lines = Object.entries({ host: `127.0.0.1:${server.port}`, connection: "close", ...headers }).map(
        ([name, value]) => `${name}: ${value}\r\n`,
      );
      return raw(server.port, `${method} ${path} HTTP/1.1\r\n${lines.join("")}\r\n`);
    };

    it("refuses foreign Host names and cross-site requests", async () => {
      for (const path of ["/v1/config", "/metrics", "/readyz", "/v1/policy-state?node=a"]) {
        assert.match(
          await refusedWith({ host: "evil.example" }, path),
          /^HTTP\/1\.1 403 .*PURSER_HOST_FORBIDDEN/s,
        );
        assert.match(
          await refusedWith({ "sec-fetch-site": "cross-site" }, path),
          /^HTTP\/1\.1 403 .*PURSER_ORIGIN_FORBIDDEN/s,
        );
      }
      const posted = await refusedWith(
        { origin: "http://evil.example", "content-type": "text/plain", "content-length": "0" },
        "/v1/report",
        "POST",
      );
      assert.match(posted, /^HTTP\/1\.1 403 .*PURSER_ORIGIN_FORBIDDEN/s);
    });

    it("refuses bodies that are not declared as JSON", async () => {
      const { url } = await serve();
      for (const type of ["text/plain", "text/plain; application/json", "multipart/form-data"]) {
        const headers = { "content-type": type };
        const response = await fetch(`${url}/v1/report`, { method: "POST", headers, body: '{"bags":[]}' });
        assert.deepEqual([response.status, await codeOf(response)], [415, "PURSER_CONTENT_TYPE"], type);
      }
    });

    it("answers /auth under the client's own Host and Origin", async () => {
      const answer = await refusedWith(
        { host: "shop.example", origin: "https://shop.example", "sec-fetch-site": "cross-site" },
        "/auth/reviews",
      );
      // 503 because there are no documents yet, not 403.
      assert.match(answer, /^HTTP\/1\.1 503 /);
    });
  });

  describe("limits its load", () => {
    it("so that bodies in transit occupy no slot of a call", async () => {
      const { mixer, server, post } = await serve({ maxConcurrentRequests: 1 });
      await mixer.apply(snapshotOf());
      const slow = [0, 1, 2].map(() =>
        raw(server.port, "POST /v1/check HTTP/1.1\r\nHost: m\r\nContent-Length: 100\r\n\r\n{"),
      );
      await new Promise((resolve) => setTimeout(resolve, 50));
      assert.equal((await post("/v1/check", { attributes: {}, deduplicationId: "1" })).status, 200);
      await server.close(0);
      await Promise.all(slow.map((answer) => answer.catch(() => "cut")));
    });

    it("by the time for a body, with 408", async () => {
      const { server } = await serve({ requestTimeoutMs: 300 });
      const answer = await raw(
        server.port,
        "POST /v1/check HTTP/1.1\r\nHost: m\r\nContent-Length: 100\r\n\r\n{",
      );
      assert.match(answer, /^HTTP\/1\.1 408 /);
    });

    it("by the number of a body's chunks, so that the event loop is not held", async () => {
      const { server } = await serve();
      const chunks = "1\r\n{\r\n".repeat(100_000);
      const head = "POST /v1/check HTTP/1.1\r\nHost: m\r\nTransfer-Encoding: chunked\r\n\r\n";
      const answer = await raw(server.port, `${head}${chunks}0\r\n\r\n`).catch(String);
      assert.match(answer, /^HTTP\/1\.1 400 .*in pieces|ECONNRESET|EPIPE/s);
    });

    it("by the announced length, before it reads the body", async () => {
      const { server } = await serve({ bodyLimitBytes: 100 });
      const answer = await raw(
        server.port,
        "POST /v1/check HTTP/1.1\r\nHost: m\r\nContent-Length: 101\r\n\r\n",
      );
      assert.match(answer, /^HTTP\/1\.1 413 /);
      assert.match(answer, /connection: close/i);
      assert.match(answer, /PURSER_REQUEST_TOO_LARGE/);
    });

    it("by the actual length, when none is announced", async () => {
      const { server } = await serve({ bodyLimitBytes: 100 });
      const chunk = `65\r\n${"x".repeat(101)}\r\n`;
      const answer = await raw(
        server.port,
        `POST /v1/check HTTP/1.1\r\nHost: m\r\nTransfer-Encoding: chunked\r\n\r\n${chunk}`,
      );
      assert.match(answer, /^HTTP\/1\.1 413 /);
    });

    it("by the number of calls under way", async () => {
      const { mixer, post, url } = await serve({ maxConcurrentRequests: 1 });
      let answer = (): void => {};
      const slow = adapterDeclaration("slow", {
        checknothing: () =>
          new Promise((resolve) => (answer = () => resolve({ status: { code: "OK", message: "" } }))),
      });
      await mixer.apply(snapshotOf({ handlers: [slow], rules: [rule("r", "slow")] }));
      const body = { attributes: {}, deduplicationId: "1" };
      const first = post("/v1/check", body);
      await new Promise((resolve) => setTimeout(resolve, 50));
      const second = await post("/v1/check", body);
      assert.equal(second.status, 503);
      assert.equal(second.headers.get("retry-after"), "1");
      assert.equal(await codeOf(second), "PURSER_OVERLOADED");
      assert.equal((await fetch(`${url}/healthz`)).status, 200);
      answer();
      assert.equal((await first).status, 200);
      const third = post("/v1/check", body);
      await new Promise((resolve) => setTimeout(resolve, 50));
      answer();
      assert.equal((await third).status, 200);
    });

    it("by the number of held polls", async () => {
      const { mixer, url } = await serve({ maxPolls: 1 });
      await mixer.apply(snapshotOf());
      const held = fetch(`${url}/v1/policy-state?node=a&version=v1&waitMs=5000`);
      await new Promise((resolve) => setTimeout(resolve, 50));
      const second = await fetch(`${url}/v1/policy-state?node=b&version=v1&waitMs=5000`);
      assert.equal(await codeOf(second), "PURSER_OVERLOADED");
      await mixer.apply(snapshotOf({ version: "v2" }));
      assert.equal((await held).status, 200);
    });
  });

  describe("answers polls for the policy state", () => {
    it("at once when the proxy has another version or another number of proxies", async () => {
      const { mixer, url } = await serve();
      await mixer.apply(snapshotOf());
      for (const query of ["", "&version=v0", "&version=v1&proxies=5"]) {
        const response = await fetch(`${url}/v1/policy-state?node=a${query}&waitMs=5000`);
        assert.deepEqual(await response.json(), { version: "v1", proxies: 1, policies: [] });
      }
    });

    it("with 304 when nothing changed in time", async () => {
      const { mixer, url } = await serve();
      await mixer.apply(snapshotOf());
      const response = await fetch(`${url}/v1/policy-state?node=a&version=v1&proxies=1&waitMs=20`);
      assert.equal(response.status, 304);
      assert.equal((await fetch(`${url}/v1/policy-state?node=a&version=v1`)).status, 304);
    });

    it("as soon as the documents change", async () => {
      const { mixer, url } = await serve();
      await mixer.apply(snapshotOf());
      const held = fetch(`${url}/v1/policy-state?node=a&version=v1&waitMs=5000`);
      await new Promise((resolve) => setTimeout(resolve, 50));
      await mixer.apply(snapshotOf({ version: "v2", accessPolicies: [accessPolicy("a")] }));
      const state = (await (await held).json()) as { version: string; policies: unknown[] };
      assert.equal(state.version, "v2");
      assert.deepEqual(state.policies, [{ kind: "AccessPolicy", name: "a", spec: { action: "DENY" } }]);
    });

    it("forgets a client that disconnects", async () => {
      const { mixer, url } = await serve({ maxPolls: 1 });
      await mixer.apply(snapshotOf());
      const gone = new AbortController();
      const held = fetch(`${url}/v1/policy-state?node=a&version=v1&waitMs=5000`, { signal: gone.signal });
      await new Promise((resolve) => setTimeout(resolve, 50));
      gone.abort();
      await assert.rejects(held);
      await new Promise((resolve) => setTimeout(resolve, 50));
      assert.equal((await fetch(`${url}/v1/policy-state?node=b&version=v1&waitMs=10`)).status, 304);
    });

    it("refuses malformed queries and names the parameter", async () => {
      const { url } = await serve();
      for (const query of [
        "",
        "?node=",
        "?node=a&waitMs=soon",
        "?node=a&waitMs=1&waitMs=2",
        "?node=a&verison=v1",
      ]) {
        const response = await fetch(`${url}/v1/policy-state${query}`);
        assert.equal(await codeOf(response), "PURSER_REQUEST_INVALID", query);
      }
    });
  });

  it("sends a request id with every response", async () => {
    const { url } = await serve();
    const named = await fetch(`${url}/nothing`, { headers: { "x-request-id": "abc-1" } });
    assert.equal(named.headers.get("x-request-id"), "abc-1");
    const anonymous = await fetch(`${url}/healthz`);
    assert.match(anonymous.headers.get("x-request-id") ?? "", /^[0-9a-f]{16}$/);
  });

  it("serves health, readiness, metrics and configuration", async () => {
    const { mixer, url } = await serve();
    assert.equal((await fetch(`${url}/healthz`)).status, 200);
    assert.equal((await fetch(`${url}/readyz`)).status, 503);
    await mixer.apply(snapshotOf({ accessPolicies: [accessPolicy("a", { match: expression(() => true) })] }));
    mixer.reject([
      {
        severity: "error",
        code: "PURSER_DOC_SYNTAX",
        location: { file: "x.yaml", line: 2, column: 3 },
        message: "no",
      },
    ]);
    assert.equal((await fetch(`${url}/readyz`)).status, 200);
    const metrics = await fetch(`${url}/metrics`);
    assert.match(metrics.headers.get("content-type") ?? "", /^text\/plain; version=0\.0\.4/);
    assert.match(await metrics.text(), /^purser_mixer_config_reloads_total\{result="rejected"\} 1$/m);
    const openMetrics = await fetch(`${url}/metrics`, {
      headers: { accept: "application/openmetrics-text" },
    });
    assert.match(
      openMetrics.headers.get("content-type") ?? "",
      /^application\/openmetrics-text; version=1\.0\.0/,
    );
    assert.match(await openMetrics.text(), /^# TYPE purser_mixer_config_reloads counter\n[^]*# EOF\n$/m);
    assert.equal((await fetch(`${url}/metrics`, { method: "HEAD" })).status, 200);
    const config = await json(await fetch(`${url}/v1/config`));
    const { documents, rejection } = config as unknown as {
      documents: { kind: string; name: string; location: { file: string } }[];
      rejection: { diagnostics: { location: { line: number } }[] };
    };
    assert.deepEqual(
      documents.map(({ kind, name, location }) => [kind, name, location.file]),
      [["AccessPolicy", "a", "test.yaml"]],
    );
    assert.equal(rejection.diagnostics[0]?.location.line, 2);
  });

  describe("closing", () => {
    it("answers held polls at once, lets requests under way end, and closes each connection", async () => {
      const { mixer, server, url, post } = await serve();
      let answer = (): void => {};
      const slow = adapterDeclaration("slow", {
        checknothing: () =>
          new Promise((resolve) => (answer = () => resolve({ status: { code: "OK", message: "" } }))),
      });
      await mixer.apply(snapshotOf({ handlers: [slow], rules: [rule("r", "slow")] }));
      const poll = fetch(`${url}/v1/policy-state?node=a&version=v1&waitMs=5000`);
      const check = post("/v1/check", { attributes: {}, deduplicationId: "1" });
      await new Promise((resolve) => setTimeout(resolve, 50));
      server.drain();
      assert.equal((await poll).status, 304);
      const ready = await fetch(`${url}/readyz`);
      assert.equal(ready.status, 503);
      assert.equal(ready.headers.get("connection"), "close");
      const closed = server.close(2_000);
      answer();
      assert.equal((await check).status, 200);
      await closed;
      await assert.rejects(fetch(`${url}/healthz`));
    });

    it("cuts connections that are still busy at the deadline", async () => {
      const { mixer, server, post } = await serve();
      const stuck = adapterDeclaration("stuck", { checknothing: () => new Promise(() => {}) });
      await mixer.apply(snapshotOf({ handlers: [stuck], rules: [rule("r", "stuck")] }));
      const check = post("/v1/check", { attributes: {}, deduplicationId: "1" });
      const cut = assert.rejects(check);
      await new Promise((resolve) => setTimeout(resolve, 50));
      const startMs = performance.now();
      await server.close(50);
      assert.ok(performance.now() - startMs < 1_000);
      await cut;
    });
  });

  it("reports a port that is taken or forbidden", async () => {
    const { server } = await serve();
    const coded = (code: string) => (error: unknown) => isPurserError(error) && error.code === code;
    await assert.rejects(serve({ port: server.port }), coded("PURSER_PORT_TAKEN"));
    await assert.rejects(serve({ host: "192.0.2.1" }), coded("PURSER_PORT_FORBIDDEN"));
  });
});
