// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import {
  createCollectingLogger,
  createRealTime,
  createSeededRandom,
} from "../../../plugins/sdk/testing/index.ts";
import { PurserError } from "../../../kernel/errors.ts";
import { concurrencyLimit } from "../../concurrency-limit.ts";
import { type ControlSurface, startControlSurface } from "../control-surface.ts";
import { BodyReader } from "./body-reader.ts";
import type { JsonCall } from "./json-exchange.ts";

describe("calls in front of the routes", () => {
  const logger = createCollectingLogger();
  let surface: ControlSurface;
  let held: (() => void) | undefined;

  before(async () => {
    surface = await startControlSurface({
      name: "mixer",
      host: "127.0.0.1",
      port: 0,
      random: createSeededRandom(),
      scheduler: createRealTime().scheduler,
      logger,
      calls: {
        bodies: new BodyReader(1_000),
        limit: concurrencyLimit(1),
        calls: Object.entries<JsonCall>({
          "/v1/echo": (body) => ({ got: body }),
          "/v1/nothing": () => undefined,
          "/v1/held": () => new Promise((resolve) => (held = () => resolve({ late: true }))),
          "/v1/refuses": () => {
            throw new PurserError("PURSER_OVERLOADED", "enough");
          },
          "/v1/fails": () => Promise.reject(new Error("secret detail")),
        }).map(([path, call]) => ({
          operation: { id: path, method: "post", path, summary: "", answers: {} },
          call,
        })),
      },
      addRoutes() {},
    });
  });
  after(() => surface.close(0));

  const post = (path: string, body: string, headers: Record<string, string> = {}): Promise<Response> =>
    fetch(`http://127.0.0.1:${surface.port}${path}`, {
      method: "POST",
      body,
      headers: { "content-type": "application/json", ...headers },
    });

  it("answer JSON with the client's request id, or nothing with 204", async () => {
    const answer = await post("/v1/echo", '{"text":"grün"}', { "x-request-id": "mine" });
    assert.equal(answer.status, 200);
    assert.equal(answer.headers.get("x-request-id"), "mine");
    assert.equal(answer.headers.get("content-type"), "application/json; charset=utf-8");
    assert.deepEqual(await answer.json(), { got: { text: "grün" } });
    const nothing = await post("/v1/nothing", "{}");
    assert.equal(nothing.status, 204);
    assert.match(nothing.headers.get("x-request-id") ?? "", /^[0-9a-f]{16}$/);
  });

  it("answer the same at another spelling of the path", async () => {
    const answer = await post("/v1/echo?trace=1", "[1]");
    assert.deepEqual([answer.status, await answer.json()], [200, { got: [1] }]);
  });

  const refusals: readonly (readonly [
    what: string,
    send: () => Promise<Response>,
    status: number,
    code: string,
  ])[] = [
    ["a body that is not JSON", () => post("/v1/echo", "{"), 400, "PURSER_REQUEST_INVALID"],
    ["a body that is too large", () => post("/v1/echo", "x".repeat(1_001)), 413, "PURSER_REQUEST_TOO_LARGE"],
    ["a form", () => post("/v1/echo", "{}", { "content-type": "text/plain" }), 415, "PURSER_CONTENT_TYPE"],
    [
      "a compressed body",
      () => post("/v1/echo", "{}", { "content-encoding": "gzip" }),
      400,
      "PURSER_REQUEST_INVALID",
    ],
    [
      "another site's page",
      () => post("/v1/echo", "{}", { origin: "http://evil.example" }),
      403,
      "PURSER_ORIGIN_FORBIDDEN",
    ],
    ["an error of the call", () => post("/v1/refuses", "{}"), 503, "PURSER_OVERLOADED"],
    ["a defect of the call", () => post("/v1/fails", "{}"), 500, "PURSER_INTERNAL"],
    [
      "another method",
      () => fetch(`http://127.0.0.1:${surface.port}/v1/echo`),
      405,
      "PURSER_METHOD_NOT_ALLOWED",
    ],
  ];
  for (const [what, send, status, code] of refusals) {
    it(`refuse ${what} with ${status} ${code}`, async () => {
      const answer = await send();
      const text = await answer.text();
      assert.equal(answer.status, status);
      assert.equal((JSON.parse(text) as { error: { code: string } }).error.code, code);
      assert.ok(!text.includes("secret detail"));
      if (status === 503) assert.equal(answer.headers.get("retry-after"), "1");
    });
  }

  it("name a defect in the log, by the reply's request id", async () => {
    const answer = await post("/v1/fails", "{}", { "x-request-id": "find-me" });
    await answer.text();
    const line = logger.lines.at(-1);
    assert.equal(line?.message, "a request failed");
    assert.deepEqual(line?.fields, { path: "/v1/fails", requestId: "find-me", error: "secret detail" });
  });

  it("refuse beyond the limit, and free the slot afterwards", async () => {
    const first = post("/v1/held", "{}");
    while (held === undefined) await new Promise((resolve) => setTimeout(resolve, 1));
    assert.equal((await post("/v1/echo", "{}")).status, 503);
    held();
    assert.deepEqual(await (await first).json(), { late: true });
    assert.equal((await post("/v1/echo", "{}")).status, 200);
  });

  it("end the connection while the surface drains", async () => {
    surface.drain();
    const answer = await post("/v1/echo", "{}");
    assert.equal(answer.status, 200);
    assert.equal(answer.headers.get("connection"), "close");
  });
});
