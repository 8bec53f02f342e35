// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { createServer } from "node:net";
import { dirname } from "node:path";
import { request } from "undici";
import { npmStart, type Program, runProgram } from "../support/program.ts";

// Follows a newcomer's steps: start the demo, run the printed lines, stop it.

const PORTS = [
  8080, 9080, 9081, 9083, 9084, 9085, 9086, 9092, 9180, 9181, 9183, 9184, 9185, 9186, 15000, 15001, 15002,
  15003, 15004, 15010, 15012, 15014,
];

/**
 * The first of the demo's ports that another program has taken: the ports are fixed, because the printed
 * lines name them.
 */
async function takenPort(): Promise<number | undefined> {
  for (const port of PORTS) {
    const free = await new Promise<boolean>((resolve) => {
      const server = createServer();
      server.once("error", () => resolve(false));
      server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
    });
    if (!free) return port;
  }
  return undefined;
}

const fetchText = async (
  url: string,
  options: Parameters<typeof request>[1] = {},
): Promise<{ status: number; headers: Record<string, unknown>; text: string }> => {
  const { statusCode, headers, body } = await request(url, options);
  return { status: statusCode, headers, text: await body.text() };
};

describe("npm start", function () {
  this.timeout(60_000);
  let demo: Program;
  let usersFile = "";

  before(async function () {
    const taken = await takenPort();
    if (taken !== undefined) {
      const reason = `port ${taken}, which the demo needs, is taken by another program`;
      if (process.env["REQUIRE_SERVICES"] === "1") throw new Error(reason);
      console.warn(`      skipped: ${reason}`);
      this.skip();
    }
    demo = runProgram("examples/bookshop/start.js", []);
    await demo.until(/Ctrl-C stops it/);
  });

  after(async () => {
    await demo?.stop("SIGKILL");
  });

  it("prints the listening addresses, the loaded policies, and eight lines to try", () => {
    for (const text of [
      "http://127.0.0.1:8080",
      "http://127.0.0.1:9092",
      "http://127.0.0.1:15010",
      "http://127.0.0.1:15001",
      "http://127.0.0.1:9186",
      "https://127.0.0.1:15012",
    ]) {
      assert.ok(demo.output().includes(text), text);
    }
    for (const policy of ["ratings-read-only", "no-robots", "reviews-per-user"])
      assert.match(demo.output(), new RegExp(`${policy} .*policies\\.yaml:\\d+`));
    assert.equal(
      demo
        .output()
        .split("\n")
        .filter((line) => /^ {2}(curl|for) /.test(line)).length,
      8,
    );
  });

  it("allows the page, made from every service", async () => {
    const { status, text, headers } = await fetchText("http://127.0.0.1:8080/");
    assert.equal(status, 200);
    assert.match(text, /<h1>The Bookshop<\/h1>/);
    assert.match(text, /reviews v[123]/);
    assert.ok(headers["x-request-id"] === undefined || typeof headers["x-request-id"] === "string");
  });

  it("denies by a policy, with its message and its name", async () => {
    const { status, headers, text } = await fetchText("http://127.0.0.1:8080/api/ratings/1", {
      method: "DELETE",
    });
    assert.equal(status, 403);
    assert.match(text, /ratings is read-only, not for DELETE/);
    assert.equal(headers["x-purser-policy"], "AccessPolicy/ratings-read-only");
  });

  it("lets services call by their identities: storefront may not call ratings, reviews may", async () => {
    const throughSidecar = (port: number) =>
      fetchText(`http://127.0.0.1:${port}/ratings/1`, { headers: { host: "ratings" } });
    const { status, headers } = await throughSidecar(15001);
    assert.deepEqual(
      [status, headers["x-purser-policy"]],
      [403, "AuthorizationPolicy/bookshop/ratings-callers"],
    );
    for (const port of [15002, 15003, 15004]) assert.equal((await throughSidecar(port)).status, 200);
  });

  it("accepts no plain text at any sidecar", async () => {
    for (const port of [9180, 9181, 9183, 9184, 9185, 9186])
      await assert.rejects(request(`http://127.0.0.1:${port}/`), `port ${port}`);
  });

  it("lets a moderator delete, by the printed token and by no other", async () => {
    const [, token = ""] = /authorization: Bearer ([\w.-]+)'/.exec(demo.output()) ?? [];
    const deleted = async (bearer: string): Promise<number> => {
      const headers = { authorization: `Bearer ${bearer}` };
      return (await fetchText("http://127.0.0.1:8080/api/ratings/1", { method: "DELETE", headers })).status;
    };
    assert.equal(await deleted(token), 200);
    assert.equal(await deleted(`${token.slice(0, -4)}AAAA`), 401);
  });

  it("limits by a quota, with the standard headers", async () => {
    const answers = [];
    for (let i = 0; i < 12; i++)
      answers.push(
        await fetchText("http://127.0.0.1:8080/api/reviews/1", { headers: { "x-user": "demo-test" } }),
      );
    assert.deepEqual(
      answers.map(({ status }) => status),
      [...Array(10).fill(200), 429, 429],
    );
    const last = answers[11];
    assert.match(String(last?.headers["retry-after"]), /^([1-9]|10|11)$/);
    assert.match(String(last?.headers["ratelimit"]), /^"reviews-per-user";r=0;t=\d+$/);
    assert.match(String(last?.headers["ratelimit-policy"]), /^"reviews-per-user";q=10;w=10$/);
    assert.match(String(answers[0]?.headers["ratelimit"]), /^"reviews-per-user";r=9;t=\d+$/);
  });

  it("splits reviews at the VirtualService's weights", async () => {
    const counts: Record<string, number> = { v1: 0, v2: 0, v3: 0 };
    for (let i = 0; i < 400; i++) {
      const { text } = await fetchText("http://127.0.0.1:8080/api/reviews/1");
      counts[(JSON.parse(text) as { version: string }).version]! += 1;
    }
    // Five standard deviations of a binomial distribution with 400 trials: wide enough to hold reliably,
    // narrow enough to distinguish 50 % from 30 %.
    assert.ok(
      Math.abs(counts["v1"]! - 200) < 50 &&
        Math.abs(counts["v2"]! - 120) < 46 &&
        Math.abs(counts["v3"]! - 80) < 40,
      JSON.stringify(counts),
    );
  });

  it("serves the Metric documents' own series", async () => {
    // Each proxy sends its reports at its own time.
    const series = [
      /^requests_total\{[^}]*destination="ratings"[^}]*code="403"[^}]*\} 1$/m,
      /^requests_total\{[^}]*source="storefront"[^}]*destination="catalog"/m,
    ];
    let text = "";
    for (let i = 0; i < 100 && !series.every((one) => one.test(text)); i++) {
      await new Promise((resolve) => setTimeout(resolve, 100));
      ({ text } = await fetchText("http://127.0.0.1:9092/metrics"));
    }
    for (const one of series) assert.match(text, one);
    assert.match(text, /^request_duration_milliseconds_bucket\{/m);
  });

  it("lists the loaded documents with their files", async () => {
    const { text } = await fetchText("http://127.0.0.1:9092/v1/config");
    const { documents } = JSON.parse(text) as { documents: { name: string; location: { file: string } }[] };
    assert.match(
      documents.find(({ name }) => name === "ratings-read-only")?.location.file ?? "",
      /policies\.yaml$/,
    );
    usersFile = documents.find(({ name }) => name.endsWith("users"))?.location.file ?? "";
    assert.ok(existsSync(usersFile), usersFile);
  });

  it("refuses to start twice, with one clear line and exit code 2", async () => {
    const second = runProgram("examples/bookshop/start.js", []);
    assert.equal(await second.ended(), 2);
    assert.match(second.errors(), /^purser: .*port \d+.*PURSER_PORT_TAKEN\]\n$/);
  });

  it("stops within a second, with exit code 0 and no error output", async () => {
    const { code, tookMs } = await demo.stop("SIGINT");
    assert.equal(code, 0, demo.errors());
    assert.ok(tookMs < 1_000, `${tookMs} ms`);
    assert.doesNotMatch(demo.errors(), /Warning|Unhandled|Error/);
    assert.equal(await takenPort(), undefined);
    assert.equal(existsSync(dirname(usersFile)), false, "the keys of the demo are left behind");
  });
});

describe("npm start, when npm is told to stop", function () {
  this.timeout(60_000);

  before(async function () {
    if ((await takenPort()) !== undefined) this.skip();
  });

  it("leaves no process and no port behind, whether it was ready or not", async () => {
    for (const moment of [/Ctrl-C stops it/, /bookshop/]) {
      const npm = npmStart();
      await npm.until(moment);
      await npm.stop("SIGTERM");
      for (let attempt = 0; attempt < 40 && (await takenPort()) !== undefined; attempt++)
        await new Promise((resolve) => setTimeout(resolve, 50));
      assert.equal(await takenPort(), undefined, `after ${moment}`);
    }
  });
});
