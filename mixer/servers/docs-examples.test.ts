// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { createHttpClient } from "../../plugins/sdk/http/client.ts";
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { decodePolicyState } from "../../api/json/policy-state.ts";
import type { AttributeBag } from "../../core/attributes/bag.ts";
import {
  createCollectingLogger,
  createMemoryFiles,
  createRealTime,
  createSeededRandom,
} from "../../plugins/sdk/testing/index.ts";
import { freePort } from "../../bench/machine/free-port.ts";
import { requireService } from "../../test/support/services.ts";
import { accessPolicy, computed, expression, quotaPolicy, snapshotOf } from "../../test/support/snapshots.ts";
import { createMixer, type Mixer } from "../mixer.ts";
import type { ControlSurface } from "../../server/http/control-surface.ts";
import { startMixerHttpServer } from "./http-server.ts";
import { expositionOf } from "../../test/support/exposition.ts";

// Runs the examples of docs/reference/api.md.

const PAGE = readFileSync(fileURLToPath(new URL("../../docs/reference/api.md", import.meta.url)), "utf8");

/** The text of the page's fenced block whose info string begins with `name`. */
function example(name: string): string {
  const block = PAGE.split(`\`\`\`${name}\n`)[1]?.split("\n```")[0];
  assert.ok(block !== undefined, `docs/reference/api.md has no example ${name}`);
  return block;
}

/** The names and types of a value's members, whatever their values. */
function formOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.slice(0, 1).map(formOf);
  if (typeof value !== "object" || value === null) return typeof value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, formOf(member)]));
}

const request = (bag: AttributeBag) =>
  bag["request"] as { method: string; url_path: string; headers: Record<string, string> };
const user = (bag: AttributeBag) => request(bag).headers["x-user"];

const documents = snapshotOf({
  accessPolicies: [
    accessPolicy("no-posts", { when: expression((bag) => request(bag).method === "POST") }),
    accessPolicy("no-admin", { when: expression((bag) => request(bag).url_path === "/admin") }),
    accessPolicy("tier", {
      action: "ALLOW",
      headers: {
        request: {
          set: [["x-tier", expression((bag) => (user(bag) === "ann" ? "gold" : undefined))]],
          append: [],
          remove: [],
        },
        response: { set: [], append: [], remove: [] },
      },
    }),
  ],
  quotaPolicies: [
    quotaPolicy("reviews-per-user", {
      spec: {
        match: '$exists(request.headers."x-user")',
        key: { user: 'request.headers."x-user"' },
        limit: 10,
        window: "60s",
        algorithm: "fixed-window",
      },
      match: expression((bag) => user(bag) !== undefined),
      key: [["user", computed(user)]],
    }),
  ],
});

describe("docs/reference/api.md", () => {
  const time = createRealTime();
  let mixer: Mixer;
  let server: ControlSurface;

  beforeEach(async () => {
    const runtime = {
      clock: time.clock,
      http: () => createHttpClient(time.clock),
      spoolFiles: () => assert.fail("no spool here"),
      buildInThread: () => assert.fail("no thread here"),
      scheduler: time.scheduler,
      random: createSeededRandom(),
      logger: createCollectingLogger(),
    };
    mixer = createMixer({ ...runtime, files: () => createMemoryFiles() });
    await mixer.apply(documents);
    server = await startMixerHttpServer({ mixer, ...runtime, host: "127.0.0.1", port: 0 });
  });

  afterEach(async () => {
    await server.close(100);
    await mixer.close(100);
    time.cancelAll();
  });

  const post = (path: string, body: string) =>
    fetch(`http://127.0.0.1:${server.port}${path}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body,
    });

  it("shows bodies that the API accepts, and replies of the same form as its own", async () => {
    const checked = await (await post("/v1/check", example("json check-request"))).json();
    assert.deepEqual(formOf(checked), formOf(JSON.parse(example("json check-reply"))));
    const allocated = (await (await post("/v1/quota", example("json quota-request"))).json()) as {
      kind: string;
    };
    assert.equal(allocated.kind, "granted");
    for (const form of ["json report-request", "json report-changes"])
      assert.equal((await post("/v1/report", example(form))).status, 204);
    const state = await fetch(`http://127.0.0.1:${server.port}/v1/policy-state?node=a`);
    const { policies } = decodePolicyState(await state.json());
    const shown = decodePolicyState(JSON.parse(example("json policy-state"))).policies;
    assert.deepEqual(
      policies.filter(({ kind }) => kind === "QuotaPolicy"),
      shown,
    );
  });

  it("shows the quotas for operators in the form that the API has", async () => {
    const ann: AttributeBag = { request: { method: "GET", url_path: "/", headers: { "x-user": "ann" } } };
    await mixer.check({ attributes: ann, deduplicationId: "ann" });
    const blocked = await (await post("/v1/quotas/block", example("json quotas-block"))).json();
    assert.deepEqual(formOf(blocked), formOf(JSON.parse(example("json quotas-entry"))));
    for (const [path, form] of [
      ["/v1/quotas", "json quotas-listing"],
      ["/v1/quotas/top", "json quotas-top"],
    ] as const) {
      const reply = await (await fetch(`http://127.0.0.1:${server.port}${path}`)).json();
      assert.deepEqual(formOf(reply), formOf(JSON.parse(example(form))));
    }
  });

  it("lists each of the mixer's own metrics", async () => {
    const text = await expositionOf(mixer);
    for (const [, name] of text.matchAll(/^# TYPE (\S+)/gm)) assert.ok(PAGE.includes(`\`${name}\``), name);
  });

  describe("with a real nginx, configured as shown", () => {
    let folder: string;
    let nginx: ChildProcess | undefined;
    let upstream: Server;
    let url: string;

    beforeEach(async function () {
      const program = requireService(this, "nginx");
      upstream = createServer((received, response) => {
        const { method, url: path, headers } = received;
        received.resume();
        response.end(JSON.stringify({ method, path, headers }));
      });
      await new Promise<void>((resolve) => upstream.listen(0, "127.0.0.1", resolve));
      const port = await freePort();
      url = `http://127.0.0.1:${port}`;
      folder = mkdtempSync(join(tmpdir(), "purser-nginx-"));
      const site = example("nginx")
        .replace("listen 8080", `listen 127.0.0.1:${port}`)
        .replace("127.0.0.1:9080", `127.0.0.1:${(upstream.address() as AddressInfo).port}`)
        .replace("127.0.0.1:9092", `127.0.0.1:${server.port}`);
      const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(
        (name) => `${name}_temp_path ${folder};`,
      );
      writeFileSync(
        join(folder, "nginx.conf"),
        `daemon off; master_process off; pid ${folder}/pid; error_log ${folder}/error.log;
         events {} http { access_log off; ${temporary.join(" ")} ${site} }`,
      );
      nginx = spawn(program, ["-p", folder, "-c", join(folder, "nginx.conf")], {
        stdio: ["ignore", "ignore", "pipe"],
      });
      await untilAnswers(url, nginx);
    });

    afterEach(async () => {
      const running = nginx;
      nginx = undefined;
      if (running !== undefined && running.exitCode === null) {
        const exited = new Promise((resolve) => running.once("exit", resolve));
        running.kill("SIGTERM");
        await exited;
      }
      upstream?.closeAllConnections();
      upstream?.close();
      if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
    });

    interface Echo {
      readonly method: string;
      readonly path: string;
      readonly headers: Record<string, string>;
    }

    it("passes allowed requests, with a policy's header in place of the client's", async () => {
      const gold = await fetch(`${url}/reviews/1?a=b`, { headers: { "x-user": "ann", "x-tier": "forged" } });
      const echo = (await gold.json()) as Echo;
      assert.equal(gold.status, 200);
      assert.equal(echo.path, "/reviews/1?a=b");
      assert.equal(echo.headers["x-tier"], "gold");
      const none = (await (
        await fetch(url, { headers: { "x-user": "bob", "x-tier": "forged" } })
      ).json()) as Echo;
      assert.equal(none.headers["x-tier"], undefined);
    });

    it("sees the client's method and path, and refuses with the policy's name", async () => {
      const posted = await fetch(url, { method: "POST", body: "some body" });
      assert.equal(posted.status, 403);
      assert.equal(posted.headers.get("x-purser-policy"), "AccessPolicy/no-posts");
      assert.equal(
        (await fetch(`${url}/x/%2e%2e/%61dmin`)).headers.get("x-purser-policy"),
        "AccessPolicy/no-admin",
      );
    });

    it("does not let the client choose what policies see", async () => {
      const headers = {
        "x-forwarded-uri": "/",
        "x-forwarded-method": "GET",
        "x-original-uri": "/",
        "x-original-method": "GET",
      };
      assert.equal((await fetch(`${url}/admin`, { headers })).status, 403);
      assert.equal((await fetch(url, { method: "POST", headers })).status, 403);
    });

    it("answers 429 with Retry-After when a quota is used up", async () => {
      const headers = { "x-user": "eve" };
      for (let request_ = 0; request_ < 10; request_++)
        assert.equal((await fetch(url, { headers })).status, 200);
      const refused = await fetch(url, { headers });
      assert.equal(refused.status, 429);
      assert.ok(Number(refused.headers.get("retry-after")) >= 1);
      assert.equal(refused.headers.get("x-purser-policy"), "QuotaPolicy/reviews-per-user");
    });

    it("refuses every request when the mixer is away", async () => {
      await server.close(100);
      assert.equal((await fetch(url)).status, 500);
    });
  });
});

/** nginx does not report when it is ready: poll until it answers. */
async function untilAnswers(url: string, nginx: ChildProcess): Promise<void> {
  let complaint = "";
  nginx.stderr?.on("data", (chunk: Buffer) => (complaint = (complaint + chunk.toString()).slice(-2_000)));
  const deadline = Date.now() + 5_000;
  for (;;) {
    try {
      await (await fetch(url)).text();
      return;
    } catch (error) {
      if (nginx.exitCode !== null || Date.now() > deadline) {
        nginx.kill("SIGKILL");
        throw new Error(`nginx did not start: ${complaint}`, { cause: error });
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}
