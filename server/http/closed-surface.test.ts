// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import {
  GET_PILOT_METRICS,
  GET_PILOT_READY,
  GET_REGISTRY,
} from "../../api/json/operations/pilot-operations.ts";
import { REPORT } from "../../api/json/operations/mixer-operations.ts";
import { LogLevelSetting } from "../../kernel/log-level.ts";
import {
  createCollectingLogger,
  createRealTime,
  createSeededRandom,
} from "../../plugins/sdk/testing/index.ts";
import { concurrencyLimit } from "../concurrency-limit.ts";
import { type ControlSurface, startControlSurface } from "./control-surface.ts";
import { BodyReader } from "./json/body-reader.ts";
import { addHealthRoutes, addMetricsRoute } from "./operation-routes.ts";
import { BearerTokens } from "./surface-access.ts";

const TOKEN = "0123456789abcdef";

interface Asked {
  readonly method?: string;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

describe("a closed control surface", () => {
  const surfaces: ControlSurface[] = [];
  after(() => Promise.all(surfaces.map((surface) => surface.close(0))));

  async function start({ openMetrics = false, level = "info" as const } = {}) {
    const logger = createCollectingLogger();
    const logLevel = new LogLevelSetting(level);
    const surface = await startControlSurface({
      name: "mixer",
      host: "127.0.0.1",
      port: 0,
      random: createSeededRandom(),
      scheduler: createRealTime().scheduler,
      logger,
      access: { tokens: new BearerTokens([TOKEN]), openMetrics },
      process: { version: "1.2.3", node: "20.0.0", logLevel },
      configVersions: () => ({ documents: "d1" }),
      calls: {
        bodies: new BodyReader(1_000),
        limit: concurrencyLimit(1),
        calls: [{ operation: REPORT, call: () => undefined }],
      },
      isForwarded: (path) => path === "/auth",
      addRoutes(router, isDraining) {
        addHealthRoutes(router, GET_PILOT_READY, isDraining, () => ({ rejection: undefined }));
        addMetricsRoute(router, GET_PILOT_METRICS, async () => "up 1\n");
        router.serve(GET_REGISTRY, (context) => {
          context.body = { version: "", services: [] };
        });
      },
    });
    surfaces.push(surface);
    const ask = (path: string, init: Asked = {}, token?: string): Promise<Response> =>
      fetch(`http://127.0.0.1:${surface.port}${path}`, {
        ...init,
        headers: { ...init.headers, ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) },
      });
    return { ask, logger, logLevel };
  }

  const put = (body: string): Asked => ({
    method: "PUT",
    body,
    headers: { "content-type": "application/json" },
  });

  it("answers probes, and nothing else without a token", async () => {
    const { ask } = await start();
    for (const path of ["/healthz", "/readyz"]) assert.equal((await ask(path)).status, 200, path);
    const closed = [
      "/metrics",
      "/v1/registry",
      "/v1/version",
      "/v1/openapi.json",
      "/nothing",
      "/healthz/",
      "/%68ealthz",
    ];
    for (const path of closed) {
      const refused = await ask(path);
      assert.equal(refused.status, 401, path);
      assert.equal(refused.headers.get("www-authenticate"), 'Bearer realm="purser"');
      const { error } = (await refused.json()) as { error: { code: string; message: string } };
      assert.equal(error.code, "PURSER_UNAUTHENTICATED");
      assert.ok(!error.message.includes("/v1/"), "a stranger learns no path");
      assert.equal((await ask(path, {}, `${TOKEN}x`)).status, 401, path);
      assert.notEqual((await ask(path, {}, TOKEN)).status, 401, path);
    }
    assert.equal((await ask("/healthz", { method: "POST" })).status, 401);
    assert.equal((await ask("/v1/log-level", put('{"level":"debug"}'))).status, 401);
  });

  it("refuses the calls of proxies as well", async () => {
    const { ask } = await start();
    for (const path of ["/v1/report", "/v1/report/"]) {
      const refused = await ask(path, { method: "POST", body: "{}" });
      assert.deepEqual(
        [refused.status, refused.headers.get("www-authenticate")],
        [401, 'Bearer realm="purser"'],
      );
    }
    const json = { method: "POST", body: "{}", headers: { "content-type": "application/json" } };
    assert.equal((await ask("/v1/report", json, TOKEN)).status, 204);
  });

  it("opens metrics when the operator says so", async () => {
    const { ask } = await start({ openMetrics: true });
    assert.equal((await ask("/metrics")).status, 200);
    assert.equal((await ask("/v1/registry")).status, 401);
  });

  it("tells its versions", async () => {
    const { ask } = await start();
    const answer = await ask("/v1/version", {}, TOKEN);
    assert.deepEqual(await answer.json(), { version: "1.2.3", node: "20.0.0", documents: "d1" });
  });

  it("changes the level of logs and writes it down, whichever level is the more verbose", async () => {
    const { ask, logger, logLevel } = await start();
    const levels: string[] = [];
    logLevel.watch((level) => void levels.push(level));
    const seen: string[] = [];
    const warn = logger.warn.bind(logger);
    logger.warn = (message, fields) => {
      if (logLevel.shows("warn")) seen.push(`${String(fields?.["from"])} ${String(fields?.["to"])}`);
      warn(message, fields);
    };
    for (const level of ["error", "error", "debug"]) {
      const answer = await ask("/v1/log-level", put(JSON.stringify({ level })), TOKEN);
      assert.deepEqual(await answer.json(), { level });
    }
    assert.deepEqual(levels, ["error", "debug"]);
    assert.deepEqual(seen, ["info error", "error debug"]);
    assert.deepEqual(await (await ask("/v1/log-level", {}, TOKEN)).json(), { level: "debug" });
    assert.ok(!JSON.stringify(logger).includes(TOKEN));
  });

  it("refuses levels that do not exist, with the field at fault", async () => {
    const { ask, logLevel } = await start();
    for (const body of ['{"level":"loud"}', "{}", '{"level":"debug","for":"1h"}', "[]", "nonsense"]) {
      const answer = await ask("/v1/log-level", put(body), TOKEN);
      assert.equal(answer.status, 400, body);
    }
    assert.equal((await ask("/v1/log-level", put(" ".repeat(2_000)), TOKEN)).status, 413);
    assert.equal(logLevel.level, "info");
  });
});
