// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { readyOperation } from "../../api/json/operations/health-operations.ts";
import { GET_PILOT_METRICS } from "../../api/json/operations/pilot-operations.ts";
import { ERROR_CATALOG } from "../../kernel/error-catalog.ts";
import { isPurserError, PurserError } from "../../kernel/errors.ts";
import {
  createCollectingLogger,
  createRealTime,
  createSeededRandom,
} from "../../plugins/sdk/testing/index.ts";
import { type ControlSurface, type ControlSurfaceSettings, startControlSurface } from "./control-surface.ts";
import { holdRequest, LongPolls } from "./long-polls.ts";
import { addHealthRoutes, addMetricsRoute, type Readiness } from "./operation-routes.ts";

const time = createRealTime();
const surfaces: ControlSurface[] = [];

async function start(settings: Partial<ControlSurfaceSettings> = {}) {
  const logger = createCollectingLogger();
  const statuses: number[] = [];
  const polls = new LongPolls(time.scheduler, 10);
  let readiness: Readiness | PurserError = { version: "v1", rejection: undefined };
  const surface = await startControlSurface({
    name: "pilot",
    host: "127.0.0.1",
    port: 0,
    random: createSeededRandom(),
    scheduler: time.scheduler,
    logger,
    polls,
    onAnswer: (status) => void statuses.push(status),
    isForwarded: (path) => path === "/forwarded",
    addRoutes(router, isDraining) {
      addHealthRoutes(router, readyOperation("PURSER_PILOT_UNAVAILABLE"), isDraining, () => readiness);
      addMetricsRoute(router, GET_PILOT_METRICS, async () => "up 1\n");
      router.post("/post", (context) => {
        context.status = 204;
      });
      router.all("/forwarded", (context) => {
        context.body = "asked";
      });
      router.get("/fails", () => {
        throw new Error("secret detail");
      });
      router.get("/never", () => new Promise<void>(() => {}));
      router.get("/poll", async (context) => {
        const watch = (): (() => void) => () => {};
        const news = await holdRequest(polls, context, { watch, isNews: () => true, waitMs: 10_000 });
        context.body = { news: news ?? "none" };
      });
    },
    ...settings,
  });
  surfaces.push(surface);
  const get = (path: string, init?: RequestInit) => fetch(`http://127.0.0.1:${surface.port}${path}`, init);
  const beReady = (value: Readiness | PurserError): void => void (readiness = value);
  return { surface, get, logger, statuses, polls, beReady };
}

const bodyOf = async (response: Response) =>
  (await response.json()) as { error: { code: string; message: string; remedy: string } };

describe("a control surface", () => {
  afterEach(async () => {
    await Promise.all(surfaces.splice(0).map((surface) => surface.close(0)));
    assert.equal(time.scheduled, 0);
  });

  it("answers an unknown path with the known paths, and a wrong method with the right ones", async () => {
    const { get } = await start();
    const missing = await get("/nothing");
    assert.equal(missing.status, 404);
    assert.match((await bodyOf(missing)).error.message, /there is: \/healthz \/readyz \/metrics \/post/);
    for (const method of ["GET", "OPTIONS", "DELETE"]) {
      const wrong = await get("/post", { method });
      assert.deepEqual([wrong.status, wrong.headers.get("allow")], [405, "POST"], method);
    }
  });

  it("refuses in JSON with the code's remedy, or in plain text", async () => {
    const json = await bodyOf(await (await start()).get("/nothing"));
    const { remedy } = ERROR_CATALOG.PURSER_NOT_FOUND;
    assert.deepEqual([json.error.code, json.error.remedy], ["PURSER_NOT_FOUND", remedy]);
    const text = await (await start({ errorFormat: "text" })).get("/nothing");
    assert.equal(text.headers.get("content-type"), "text/plain; charset=utf-8");
    assert.match(
      await text.text(),
      new RegExp(`^there is nothing at /nothing.* \\[PURSER_NOT_FOUND\\]\n${remedy}\n$`),
    );
  });

  it("hides an unexpected error from the client and refers to the log by request id", async () => {
    const { get, logger } = await start();
    const failed = await get("/fails", { headers: { "x-request-id": "abc-1" } });
    assert.deepEqual([failed.status, failed.headers.get("x-request-id")], [500, "abc-1"]);
    assert.match((await bodyOf(failed)).error.message, /the pilot's log says why/);
    const [line] = logger.lines;
    assert.deepEqual([line?.fields["error"], line?.fields["requestId"]], ["secret detail", "abc-1"]);
  });

  it("refuses browsers, forms and long URLs on every path but those of forwarded requests", async () => {
    const { get } = await start();
    const refusals: readonly (readonly [string, RequestInit, number])[] = [
      ["", { headers: { origin: "http://evil.example" } }, 403],
      ["", { headers: { "sec-fetch-site": "cross-site" } }, 403],
      [`?${"x".repeat(8_192)}`, {}, 414],
      ["", { headers: { "content-type": "text/plain" }, body: "a" }, 415],
    ];
    for (const [query, init, status] of refusals) {
      const refused = await get(`/post${query}`, { ...init, method: "POST" });
      assert.equal(refused.status, status);
      await refused.text();
      assert.equal((await get(`/forwarded${query}`, { ...init, method: "POST" })).status, 200);
    }
    assert.equal((await get("/post", { method: "POST" })).status, 204);
  });

  it("reports each response's status, including refusals", async () => {
    const { get, statuses } = await start();
    for (const path of ["/metrics", "/nothing", "/fails"]) await (await get(path)).text();
    assert.deepEqual(statuses, [200, 404, 500]);
  });

  it("is ready when its subject is, and shows the first diagnostic of refused documents", async () => {
    const { get, beReady, surface } = await start();
    assert.deepEqual(await (await get("/readyz")).json(), { status: "ready", version: "v1" });
    const location = { file: "a.yaml", line: 1, column: 2 };
    beReady({
      rejection: [{ severity: "error", code: "PURSER_DOC_SYNTAX", location, message: "no" }],
    });
    const first = "a.yaml:1:2: error: no [PURSER_DOC_SYNTAX]";
    assert.deepEqual(await (await get("/readyz")).json(), {
      status: "ready",
      rejection: { first, faults: 1 },
    });
    beReady(new PurserError("PURSER_PILOT_UNAVAILABLE", "nothing yet"));
    const early = await get("/readyz");
    assert.deepEqual([early.status, early.headers.get("retry-after")], [503, "1"]);
    surface.drain();
    assert.equal((await bodyOf(await get("/readyz"))).error.code, "PURSER_DRAINING");
    assert.equal((await get("/healthz")).status, 200);
  });

  it("answers held polls when it drains, and closes every connection", async () => {
    const { get, surface, polls } = await start();
    const held = get("/poll");
    for (let attempt = 0; attempt < 200 && polls.heldCount === 0; attempt++)
      await new Promise((resolve) => setTimeout(resolve, 5));
    surface.drain();
    const answer = await held;
    assert.deepEqual([answer.status, answer.headers.get("connection")], [200, "close"]);
    assert.equal((await get("/nothing")).headers.get("connection"), "close");
  });

  it("cuts connections at the end of its grace period, and at once without one", async () => {
    for (const graceMs of [0, 50]) {
      const { get, surface } = await start();
      const cut = assert.rejects(get("/never"));
      await new Promise((resolve) => setTimeout(resolve, 30));
      const startMs = performance.now();
      await surface.close(graceMs);
      const tookMs = performance.now() - startMs;
      assert.ok(tookMs >= graceMs - 5 && tookMs < graceMs + 1_000, `${tookMs} ms`);
      await cut;
    }
  });

  it("names the address that is taken or foreign", async () => {
    const { surface } = await start();
    const coded = (code: string, address: string) => (error: unknown) =>
      isPurserError(error) && error.code === code && error.message.includes(address);
    const taken = coded("PURSER_PORT_TAKEN", `127.0.0.1:${surface.port}`);
    await assert.rejects(start({ port: surface.port }), taken);
    await assert.rejects(start({ host: "192.0.2.1" }), coded("PURSER_PORT_FORBIDDEN", "192.0.2.1:0"));
  });
});
