// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { request } from "undici";
import { eventually } from "../support/eventually.ts";

// Starts docker-compose.yml: two mixers on one Redis, Kafka, Prometheus, and the bookshop with a sidecar each.
// Building the image takes a minute or more, so the test runs only on request, as .ci/run does when a
// container engine answers.

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const BUILD_MS = 600_000;
/** Longest time of a command in a container: one that never ends must not hold up all tests. */
const EXEC_MS = 30_000;
const READY_MS = 60_000;
const PATIENTLY = { deadlineMs: READY_MS, everyMs: 500 };
const VERY_PATIENTLY = { deadlineMs: 2 * READY_MS, everyMs: 500 };

function compose(...args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync("docker-compose", args, {
    cwd: ROOT,
    encoding: "utf8",
    timeout: args[0] === "exec" ? EXEC_MS : BUILD_MS,
  });
  assert.equal(
    status,
    0,
    `docker-compose ${args.join(" ")}\n${stdout.slice(-4_000)}\n${stderr.slice(-4_000)}`,
  );
  return stdout;
}

/** The records that the service `events` has printed: the key, and the variables of the log entry. */
function printedEvents(): readonly {
  readonly key: string;
  readonly variables: Readonly<Record<string, unknown>>;
}[] {
  return compose("logs", "--no-color", "events")
    .split("\n")
    .flatMap((line) => {
      const [, key = "", json] = /purser\.logentry\/\d (\S+) (\{.*\})$/.exec(line) ?? [];
      if (json === undefined) return [];
      const { variables } = JSON.parse(json) as { variables: Record<string, unknown> };
      return [{ key, variables }];
    });
}

async function call(
  url: string,
  options: Parameters<typeof request>[1] = {},
): Promise<{
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly text: string;
}> {
  const { statusCode, headers, body } = await request(url, options);
  return { status: statusCode, headers, text: await body.text() };
}

interface Sample {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: readonly [seconds: number, value: string];
}

async function query(expression: string): Promise<readonly Sample[]> {
  const { text } = await call(`http://127.0.0.1:9090/api/v1/query?query=${encodeURIComponent(expression)}`);
  return (JSON.parse(text) as { data: { result: readonly Sample[] } }).data.result;
}

describe("docker-compose up", function () {
  this.timeout(BUILD_MS + READY_MS);

  before(function () {
    if (process.env["PURSER_TEST_COMPOSE"] !== "1") {
      console.warn(
        "      skipped: PURSER_TEST_COMPOSE=1 asks for it; it needs docker-compose and a Docker engine",
      );
      this.skip();
    }
    compose("build", "mixer-1");
    compose("up", "--detach", "--no-build");
  });

  after(() => {
    if (process.env["PURSER_TEST_COMPOSE"] === "1") compose("down", "--volumes", "--timeout", "2");
  });

  it("serves the page through the edge and every service's sidecar", async () => {
    await eventually(async () => {
      const { status, text } = await call("http://127.0.0.1:8080/");
      assert.equal(status, 200);
      assert.match(text, /<blockquote>/);
    }, PATIENTLY);
  });

  it("denies at the sidecar by a policy", async () => {
    const { status, headers } = await call("http://127.0.0.1:8080/api/ratings/1", { method: "DELETE" });
    assert.deepEqual([status, headers["x-purser-policy"]], [403, "AccessPolicy/ratings-read-only"]);
  });

  it("lets services call by their identities, over mutual TLS alone", async () => {
    const callFrom = (service: string, url: string, host: string): string => {
      const code = `require('http').get('${url}', { headers: { host: '${host}' } }, r => { console.log(r.statusCode); process.exit(); }).on('error', () => console.log('refused'))`;
      return compose("exec", "-T", service, "node", "-e", code).trim();
    };
    await eventually(
      async () => assert.equal(callFrom("reviews-v2", "http://127.0.0.1:15001/ratings/1", "ratings"), "200"),
      PATIENTLY,
    );
    assert.equal(callFrom("storefront", "http://127.0.0.1:15001/ratings/1", "ratings"), "403");
    assert.equal(callFrom("storefront", "http://ratings:15006/ratings/1", "ratings"), "refused");
  });

  it("lets a moderator delete, by a token", async () => {
    const token = compose("exec", "-T", "tokens", "cat", "/run/purser-joining/moderator.jwt").trim();
    const statusOf = async (bearer: string): Promise<number> => {
      const headers = { authorization: `Bearer ${bearer}` };
      return (await call("http://127.0.0.1:8080/api/ratings/1", { method: "DELETE", headers })).status;
    };
    assert.deepEqual([await statusOf(token), await statusOf(`${token.slice(0, -4)}AAAA`)], [200, 401]);
  });

  it("admits no more than one shared quota through three sidecars and two mixers", async () => {
    await eventually(
      async () => assert.equal((await call("http://127.0.0.1:8080/api/reviews/1")).status, 200),
      PATIENTLY,
    );
    const statuses: number[] = [];
    for (let i = 0; i < 15; i++) {
      statuses.push(
        (await call("http://127.0.0.1:8080/api/reviews/1", { headers: { "x-user": "compose-test" } })).status,
      );
    }
    assert.deepEqual(statuses, [...Array(10).fill(200), ...Array(5).fill(429)]);
  });

  it("sends each request to Kafka once", async () => {
    const path = `/?visit=${process.pid}`;
    assert.equal((await call(`http://127.0.0.1:8080${path}`)).status, 200);
    await eventually(async () => {
      const visits = printedEvents().filter(({ variables }) => variables["path"] === path);
      assert.deepEqual(
        visits.map(({ key, variables: { destination, code } }) => [key, destination, code]),
        [["storefront", "storefront", 200]],
      );
      const denied = printedEvents().filter(
        ({ variables: { code, method } }) => code === 403 && method === "DELETE",
      );
      assert.deepEqual(
        denied.map(({ key, variables: { method, policy } }) => [key, method, policy]),
        [["ratings", "DELETE", "AccessPolicy/ratings-read-only"]],
      );
    }, PATIENTLY);
  });

  it("sends metrics and refused requests to Google's stand-in", async () => {
    await eventually(async () => {
      const lines = compose("logs", "--no-color", "google");
      assert.match(lines, /"logName":"projects\/bookshop\/logs\/purser\.failures".*"code":403/);
      assert.match(
        lines,
        /"type":"custom\.googleapis\.com\/purser\/requests_by_service".*"destination":"reviews"/,
      );
    }, PATIENTLY);
  });

  it("keeps records while Kafka is away", async () => {
    compose("stop", "--timeout", "5", "kafka");
    const path = `/?away=${process.pid}`;
    assert.equal((await call(`http://127.0.0.1:8080${path}`)).status, 200);
    await eventually(async () => {
      const [waiting] = await query('sum(purser_mixer_delivery_queue_depth{handler="events"})');
      assert.ok(Number(waiting?.value[1]) > 0);
    }, PATIENTLY);
    compose("start", "kafka");
    await eventually(async () => {
      const visits = printedEvents().filter(({ variables }) => variables["path"] === path);
      assert.equal(visits.length, 1);
      // The consumer finds its broker again within half a minute.
    }, VERY_PATIENTLY);
  });

  it("lets Prometheus scrape every part", async () => {
    await eventually(async () => {
      const up = await query("up");
      const instances = up
        .filter(({ value }) => value[1] === "1")
        .map(({ metric }) => String(metric["instance"]));
      const proxies = [
        "catalog",
        "edge",
        "ratings",
        "reviews-v1",
        "reviews-v2",
        "reviews-v3",
        "storefront",
      ].map((host) => `${host}:15000`);
      assert.deepEqual(
        instances.toSorted(),
        ["mixer-1:9092", "mixer-2:9092", "pilot:15010", ...proxies].toSorted(),
      );
      const [refused] = await query('sum(requests_total{code="429"})');
      assert.ok(Number(refused?.value[1]) >= 5);
    }, PATIENTLY);
  });

  it("has Prometheus evaluate the alert rules, and none fires for the mesh itself", async () => {
    await eventually(async () => {
      const { text } = await call("http://127.0.0.1:9090/api/v1/rules?type=alert");
      const { data } = JSON.parse(text) as {
        data: {
          groups: { rules: { name: string; health: string; lastError?: string; state: string }[] }[];
        };
      };
      const rules = data.groups.flatMap((group) => group.rules);
      assert.ok(rules.some(({ name }) => name === "PurserTelemetryDropped"));
      assert.deepEqual(
        rules.filter(({ health }) => health !== "ok"),
        [],
      );
      const firing = rules.filter(({ state }) => state === "firing").map(({ name }) => name);
      // A machine that is busy with builds may well be late.
      assert.deepEqual(
        firing.filter((name) => !["PurserEventLoopLagHigh", "PurserMixerSlow"].includes(name)),
        [],
      );
    }, PATIENTLY);
  });
});
