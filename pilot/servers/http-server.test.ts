// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { expectDeclaredAnswers } from "../../test/support/declared-answers.ts";
import assert from "node:assert/strict";
import { encodeDiscoveryRequest } from "../../api/json/discovery.ts";
import type { ProxyNode } from "../../api/pilot-service.ts";
import type { ErrorBody } from "../../api/json/error-body.ts";
import { isPurserError } from "../../kernel/errors.ts";
import {
  knownAfter,
  type KnownVersions,
  NOTHING_KNOWN,
  type TrafficResources,
  type TrafficUpdate,
} from "../../core/traffic/resources/resource-set.ts";
import { createCollectingLogger } from "../../plugins/sdk/testing/logger.ts";
import { createSeededRandom } from "../../plugins/sdk/testing/seeded-random.ts";
import { createRealTime } from "../../plugins/sdk/testing/time.ts";
import { BOOKSHOP, trafficDocuments } from "../../test/support/traffic-documents.ts";
import type { ControlSurface } from "../../server/http/control-surface.ts";
import { type PilotHttpSettings, startPilotHttpServer } from "./http-server.ts";
import { createPilot } from "../pilot.ts";

const EDGE: ProxyNode = { role: "edge", id: "edge-1", host: "127.0.0.1", port: 8080, trustedHops: 0 };
const snapshot = (version: string, text = BOOKSHOP) => ({ version, traffic: trafficDocuments(text) });

describe("pilot over HTTP", () => {
  expectDeclaredAnswers("pilot");
  const servers: ControlSurface[] = [];
  const time = createRealTime();

  async function start(settings: Partial<PilotHttpSettings> = {}) {
    const logger = createCollectingLogger();
    const pilot = createPilot({ logger });
    const server = await startPilotHttpServer({
      pilot,
      logger,
      scheduler: time.scheduler,
      random: createSeededRandom(),
      host: "127.0.0.1",
      port: 0,
      ...settings,
    });
    servers.push(server);
    const get = (path: string, init?: RequestInit) => fetch(`http://127.0.0.1:${server.port}${path}`, init);
    const poll = (known: KnownVersions = NOTHING_KNOWN, waitMs = 0, signal?: AbortSignal) =>
      get(encodeDiscoveryRequest({ node: EDGE, known, waitMs }), signal ? { signal } : {});
    /** The current versions. */
    const versions = async () => knownAfter(NOTHING_KNOWN, (await (await poll()).json()) as TrafficResources);
    return { pilot, server, get, poll, versions };
  }

  const codeOf = async (response: Response) => ((await response.json()) as ErrorBody).error.code;

  /** Waits until `holds` is true, for a second at most. */
  async function until(holds: () => boolean): Promise<void> {
    for (let attempt = 0; attempt < 200 && !holds(); attempt++)
      await new Promise((resolve) => setTimeout(resolve, 5));
    assert.ok(holds());
  }

  afterEach(async () => {
    await Promise.all(servers.splice(0).map((server) => server.close(100)));
    assert.equal(time.scheduled, 0);
  });

  it("answers at once when the proxy has another version of a type, and 304 when all are equal", async () => {
    const { pilot, poll } = await start();
    pilot.update(snapshot("1"));
    const first = await poll();
    assert.equal(first.status, 200);
    const resources = (await first.json()) as TrafficResources;
    assert.deepEqual(
      resources.listeners.resources.map(({ port }) => port),
      [8080, 8081],
    );
    const known = knownAfter(NOTHING_KNOWN, resources);
    assert.equal((await poll({ ...known, routes: "other" }, 10_000)).status, 200);
    const same = await poll(known);
    assert.equal(same.status, 304);
    assert.equal(await same.text(), "");
  });

  it("holds a poll until a change, and answers with the changed types", async () => {
    const { pilot, poll, versions } = await start();
    pilot.update(snapshot("1"));
    const known = await versions();
    const held = poll(known, 10_000);
    await until(() => pilot.watcherCount === 1);
    pilot.update(snapshot("2"));
    assert.equal(pilot.watcherCount, 1);
    pilot.update(snapshot("3", BOOKSHOP.replace("/robots.txt", "/ads.txt")));
    const answer = await held;
    assert.equal(answer.status, 200);
    const update = (await answer.json()) as TrafficUpdate;
    assert.deepEqual(Object.keys(update), ["routes"]);
    assert.notEqual(update.routes?.version, known.routes);
    assert.equal(pilot.watcherCount, 0);
  });

  it("keeps holding a poll when only types change that it does not watch", async () => {
    const { pilot, server, poll, versions } = await start();
    pilot.update(snapshot("1"));
    const { endpoints: _endpoints, ...known } = await versions();
    const held = poll(known, 10_000);
    await until(() => pilot.watcherCount === 1);
    pilot.update(snapshot("2", BOOKSHOP.replace("ports: { http: 19080 }", "ports: { http: 19081 }")));
    assert.equal(pilot.watcherCount, 1);
    server.drain();
    assert.equal((await held).status, 304);
  });

  it("ends a poll without a change after its wait", async () => {
    const { pilot, poll, versions } = await start();
    pilot.update(snapshot("1"));
    const known = await versions();
    assert.equal((await poll(known, 20)).status, 304);
    assert.equal(pilot.watcherCount, 0);
  });

  it("releases a poll whose client disconnects", async () => {
    const { pilot, poll } = await start();
    const client = new AbortController();
    const held = poll(undefined, 10_000, client.signal);
    await until(() => pilot.watcherCount === 1);
    client.abort();
    await assert.rejects(held);
    await until(() => pilot.watcherCount === 0);
  });

  it("is not ready before its first documents", async () => {
    const { pilot, get, poll } = await start();
    const early = await poll(undefined, 10);
    assert.equal(early.status, 503);
    assert.equal(early.headers.get("retry-after"), "1");
    assert.equal(await codeOf(early), "PURSER_PILOT_UNAVAILABLE");
    assert.equal((await get("/readyz")).status, 503);
    assert.equal((await get("/healthz")).status, 200);
    pilot.update(snapshot("1"));
    assert.deepEqual(await (await get("/readyz")).json(), { status: "ready", version: "1" });
  });

  it("refuses held polls beyond its maximum", async () => {
    const { pilot, poll } = await start({ maxPolls: 1 });
    const held = poll(undefined, 10_000);
    await until(() => pilot.watcherCount === 1);
    const refused = await poll(undefined, 10_000);
    assert.equal(refused.status, 503);
    assert.equal(await codeOf(refused), "PURSER_OVERLOADED");
    pilot.update(snapshot("1"));
    assert.equal((await held).status, 200);
  });

  it("names what is wrong with a request", async () => {
    const { pilot, get } = await start();
    pilot.update(snapshot("1"));
    const node = encodeURIComponent(JSON.stringify(EDGE));
    const cases = [
      ["/v1/proxy-config", 400, "PURSER_REQUEST_INVALID"],
      ["/v1/proxy-config?node=%7B", 400, "PURSER_REQUEST_INVALID"],
      ['/v1/proxy-config?node={"role":"edge"}', 400, "PURSER_REQUEST_INVALID"],
      [`/v1/proxy-config?node=${node}&waitMs=-1`, 400, "PURSER_REQUEST_INVALID"],
      [`/v1/proxy-config?node=${node}&wait=1`, 400, "PURSER_REQUEST_INVALID"],
      [`/v1/proxy-config?node=${"x".repeat(9000)}`, 414, "PURSER_REQUEST_TOO_LARGE"],
      ["/v1/nothing", 404, "PURSER_NOT_FOUND"],
    ] as const;
    for (const [path, status, code] of cases) {
      const response = await get(path);
      assert.equal(response.status, status, path.slice(0, 60));
      assert.equal(await codeOf(response), code);
    }
    const posted = await get("/v1/registry", { method: "POST" });
    assert.equal(posted.status, 405);
    assert.equal(posted.headers.get("allow"), "HEAD, GET");
    assert.equal(await codeOf(posted), "PURSER_METHOD_NOT_ALLOWED");
  });

  it("shows the services and their endpoints", async () => {
    const { pilot, get } = await start();
    pilot.update(snapshot("1"));
    const { services } = (await (await get("/v1/registry")).json()) as { services: { name: string }[] };
    assert.deepEqual(
      services.map(({ name }) => name),
      ["storefront", "catalog", "reviews", "ratings", "covers"],
    );
    assert.match(JSON.stringify(services[2]), /"workload":"reviews-v1"/);
  });

  it("exports watchers, updates and responses to Prometheus", async () => {
    const { pilot, get, poll } = await start();
    pilot.update(snapshot("first"));
    pilot.update(snapshot("second"));
    await (await poll()).text();
    const text = await (await get("/metrics")).text();
    assert.match(text, /^purser_pilot_updates_total 2$/m);
    assert.match(text, /^purser_pilot_watchers 0$/m);
    assert.match(text, /^purser_pilot_config_info\{version="second"\} 1$/m);
    assert.doesNotMatch(text, /first/);
    assert.match(text, /^purser_pilot_http_answers_total\{status="200"\} 1$/m);
  });

  it("answers held polls at once when it drains, and holds no further ones", async () => {
    const { pilot, server, get, poll, versions } = await start();
    pilot.update(snapshot("1"));
    const known = await versions();
    const held = poll(known, 10_000);
    await until(() => pilot.watcherCount === 1);
    server.drain();
    const answer = await held;
    assert.equal(answer.status, 304);
    assert.equal(answer.headers.get("connection"), "close");
    assert.equal(await codeOf(await poll()), "PURSER_DRAINING");
    assert.equal((await get("/readyz")).status, 503);
  });

  it("closes without delay while polls are held", async () => {
    const { pilot, server, poll, versions } = await start();
    pilot.update(snapshot("1"));
    const known = await versions();
    const held = poll(known, 10_000);
    await until(() => pilot.watcherCount === 1);
    const startMs = performance.now();
    await server.close(5000);
    assert.ok(performance.now() - startMs < 1000);
    assert.equal((await held).status, 304);
  });

  it("reports a port that is taken", async () => {
    const { server } = await start();
    await assert.rejects(
      start({ port: server.port }),
      (error) =>
        isPurserError(error) && error.code === "PURSER_PORT_TAKEN" && /127\.0\.0\.1/.test(error.message),
    );
  });
});
