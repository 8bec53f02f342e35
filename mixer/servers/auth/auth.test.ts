// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { createHttpClient } from "../../../plugins/sdk/http/client.ts";
import assert from "node:assert/strict";
import { type IncomingHttpHeaders, request as send } from "node:http";
import type { AttributeBag } from "../../../core/attributes/bag.ts";
import type { Snapshot } from "../../../core/snapshot/snapshot.ts";
import {
  createCollectingLogger,
  createMemoryFiles,
  createRealTime,
  createSeededRandom,
} from "../../../plugins/sdk/testing/index.ts";
import {
  accessPolicy,
  adapterDeclaration,
  expression,
  quotaPolicy,
  snapshotOf,
} from "../../../test/support/snapshots.ts";
import { createMixer, type Mixer } from "../../mixer.ts";
import type { ControlSurface } from "../../../server/http/control-surface.ts";
import { startMixerHttpServer } from "../http-server.ts";

const NGINX = {
  host: "reviews.example.com:8080",
  "x-original-uri": "/reviews/1?a=b",
  "x-original-method": "POST",
};
const TRAEFIK = {
  "x-forwarded-host": "reviews.example.com",
  "x-forwarded-uri": "/reviews/1?a=b",
  "x-forwarded-method": "POST",
};

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

describe("/auth", () => {
  let mixer: Mixer;
  let server: ControlSurface;
  const time = createRealTime();

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
    server = await startMixerHttpServer({ mixer, ...runtime, host: "127.0.0.1", port: 0 });
  });

  afterEach(async () => {
    await server.close(100);
    await mixer.close(100);
    time.cancelAll();
  });

  function ask(headers: Readonly<Record<string, string>>, path = "/auth", method = "GET"): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const asked = send(
        { host: "127.0.0.1", port: server.port, path, method, headers, agent: false },
        (response) => {
          let body = "";
          response.on("data", (chunk: Buffer) => (body += chunk.toString()));
          response.on("end", () =>
            resolve({ status: response.statusCode ?? 0, headers: response.headers, body }),
          );
        },
      );
      asked.on("error", reject);
      asked.end();
    });
  }

  /** The attributes that policies see. */
  async function bagOf(...call: Parameters<typeof ask>) {
    let seen: AttributeBag | undefined;
    const check = mixer.check.bind(mixer);
    mixer.check = (request, options) => {
      seen = request.attributes;
      return check(request, options);
    };
    await mixer.apply(snapshotOf());
    assert.equal((await ask(...call)).status, 200);
    return JSON.parse(JSON.stringify(seen)) as Record<string, Record<string, unknown>>;
  }

  const apply = (documents: Partial<Snapshot>) => mixer.apply(snapshotOf(documents));

  describe("reads the original request", () => {
    it("from nginx, Traefik and Caddy, and Envoy alike", async () => {
      const client = { "x-user": "ann", "user-agent": "curl", "x-forwarded-for": "6.6.6.6, 192.0.2.7" };
      const envoy = { host: "reviews.example.com" };
      for (const call of [
        [{ ...NGINX, ...client }],
        [{ ...TRAEFIK, ...client }],
        [{ ...envoy, ...client }, "/auth/reviews/1?a=b", "POST"],
      ] as Parameters<typeof ask>[]) {
        const bag = await bagOf(...call);
        assert.deepEqual(bag["source"], { ip: "192.0.2.7" });
        assert.deepEqual(bag["destination"], { service: { name: "reviews", host: "reviews.example.com" } });
        const {
          time: at,
          host: hostname,
          port,
          headers: sent,
          ...request
        } = bag["request"] as Record<string, unknown>;
        const { "x-forwarded-host": forwardedHost, ...headers } = sent as Record<string, string>;
        assert.match(forwardedHost ?? "none", /none|reviews/);
        assert.ok(!Number.isNaN(Date.parse(String(at))));
        assert.equal(hostname, "reviews.example.com");
        const host = port === undefined ? "reviews.example.com" : "reviews.example.com:8080";
        assert.deepEqual(headers, { host, ...client });
        assert.deepEqual(request, {
          method: "POST",
          scheme: "http",
          path: "/reviews/1?a=b",
          url_path: "/reviews/1",
          query_params: { a: "b" },
          useragent: "curl",
        });
      }
    });

    it("with the service that the operator's query names, not the client's", async () => {
      const serviceOf = (bag: Awaited<ReturnType<typeof bagOf>>) =>
        bag["destination"]?.["service"] as { name: string };
      assert.equal(serviceOf(await bagOf(NGINX, "/auth?service=ratings")).name, "ratings");
      assert.equal(serviceOf(await bagOf({ host: "reviews" }, "/auth/x?service=ratings")).name, "reviews");
    });

    it("with the canonical path, in whatever form it is sent", async () => {
      for (const uri of [
        "/admin",
        "/x/../admin",
        "/x/%2e%2e/admin",
        "/%61dmin",
        "/./admin",
        "/x\\..\\admin",
      ]) {
        const bag = await bagOf({ ...NGINX, "x-original-uri": uri });
        assert.equal(bag["request"]?.["url_path"], "/admin", uri);
      }
    });

    it("with the path normalized as the proxy would, and the query unchanged", async () => {
      const uri = "/a%2fb//c|d/../%65?x=/../%61&y=2";
      const request = (await bagOf({ ...NGINX, "x-original-uri": uri }))["request"];
      assert.equal(request?.["path"], "/a%2Fb/e?x=/../%61&y=2");
      assert.equal(request?.["url_path"], "/a%2Fb/e");
      assert.deepEqual(request?.["query_params"], { x: "/../a", y: "2" });
    });

    it("with the same host, method and addresses, in whatever form they are sent", async () => {
      const written = { "x-original-method": "delete", host: "REVIEWS.example.com.:80" };
      const bag = await bagOf({ ...NGINX, ...written, "x-forwarded-for": "6.6.6.6, [2001:DB8:0::1]:4711" });
      const request = bag["request"] as Record<string, unknown>;
      assert.equal(request["method"], "DELETE");
      assert.deepEqual([request["host"], request["port"]], ["reviews.example.com", 80]);
      assert.deepEqual(bag["source"], { ip: "2001:db8::1" });
    });

    const unclear: readonly [string, Readonly<Record<string, string>>, string?][] = [
      ["no header that names the original request", {}],
      ["both an original and a forwarded URI", { ...NGINX, "x-forwarded-uri": "/public" }],
      ["a path of its own and an original URI", NGINX, "/auth/public"],
      ["a path of its own and a forwarded URI", TRAEFIK, "/auth/"],
      ["no method from nginx", { "x-original-uri": "/" }],
      ["no method from Traefik", { "x-forwarded-uri": "/", "x-original-method": "GET" }],
      ["a URI with a fragment", { ...NGINX, "x-original-uri": "/public#/../admin" }],
      ["a URI that does not begin with a slash", { ...NGINX, "x-original-uri": "@evil/" }],
    ];
    for (const [name, headers, path] of unclear) {
      it(`and refuses ${name}`, async () => {
        await apply({});
        const { status, body } = await ask(headers, path);
        assert.equal(status, 400);
        assert.match(body, /PURSER_REQUEST_INVALID/);
      });
    }
  });

  describe("answers", () => {
    const header = (name: string, value: string) => [[name, expression(() => value)]] as const;

    it("200 with the policies' header changes, without reserved headers", async () => {
      const headers = {
        request: { set: header("x-tier", "gold"), append: header("x-tier", "extra"), remove: [] },
        response: {
          set: [...header("x-seen", "1"), ...header("content-length", "5")],
          append: [],
          remove: [],
        },
      };
      await apply({ accessPolicies: [accessPolicy("a", { action: "ALLOW", headers })] });
      const { status, headers: got, body } = await ask(NGINX);
      assert.equal(status, 200);
      assert.equal(body, "");
      assert.equal(got["x-tier"], "gold, extra");
      assert.equal(got["x-seen"], "1");
    });

    it("a denial with its status, policy, headers and problem details", async () => {
      const headers = {
        request: { set: [], append: [], remove: [] },
        response: { set: header("www-authenticate", "Bearer"), append: [], remove: [] },
      };
      const status = { code: "UNAUTHENTICATED", message: expression(() => "who are you?") } as const;
      await apply({ accessPolicies: [accessPolicy("a", { status, headers })] });
      for (const form of [NGINX, TRAEFIK]) {
        const answer = await ask(form);
        assert.equal(answer.status, 401);
        assert.equal(answer.headers["x-purser-policy"], "AccessPolicy/a");
        assert.equal(answer.headers["www-authenticate"], "Bearer");
        assert.match(answer.headers["content-type"] ?? "", /^application\/problem\+json/);
        const problem = {
          type: "about:blank",
          title: "Unauthorized",
          status: 401,
          detail: "who are you?",
          policy: "AccessPolicy/a",
        };
        assert.deepEqual(JSON.parse(answer.body), problem);
      }
    });

    it("a used-up quota as 429 with Retry-After, and for nginx as 403 with the status in a header", async () => {
      await apply({ quotaPolicies: [quotaPolicy("wide"), quotaPolicy("q", { limit: 0 })] });
      const traefik = await ask(TRAEFIK);
      assert.equal(traefik.status, 429);
      assert.ok(Number(traefik.headers["retry-after"]) >= 1);
      assert.equal(traefik.headers["x-purser-policy"], "QuotaPolicy/q");
      const nginx = await ask(NGINX);
      assert.equal(nginx.status, 403);
      assert.equal(nginx.headers["x-purser-status"], "429");
      assert.ok(Number(nginx.headers["retry-after"]) >= 1);
    });

    it("with the state of enforced quotas, whether they refuse or not", async () => {
      // A window of the other algorithms might end between the calls.
      const algorithm = "sliding-window";
      const hourly = quotaPolicy("hourly", { limit: 5, windowMs: 3_600_000, algorithm });
      await apply({
        quotaPolicies: [
          hourly,
          quotaPolicy("q", { limit: 1, algorithm }),
          quotaPolicy("s", { mode: "shadow" }),
        ],
      });
      const allowed = await ask(NGINX);
      assert.equal(allowed.status, 200);
      assert.equal(allowed.headers["ratelimit-policy"], '"hourly";q=5;w=3600, "q";q=1;w=60');
      assert.match(String(allowed.headers["ratelimit"]), /^"hourly";r=4;t=\d+, "q";r=0;t=\d+$/);
      const refused = await ask(TRAEFIK);
      assert.equal(refused.status, 429);
      const t = refused.headers["retry-after"];
      assert.match(String(refused.headers["ratelimit"]), new RegExp(`^"hourly";r=4;t=\\d+, "q";r=0;t=${t}$`));
    });

    it("in the forms that the MeshConfig chooses, and without hidden quotas", async () => {
      const { traffic } = snapshotOf();
      const rateLimitHeaders = { forms: ["X_RATELIMIT"], upstream: "MERGE", quotaState: true } as const;
      const definition = quotaPolicy("h").quota;
      await apply({
        traffic: { ...traffic, rateLimitHeaders },
        quotaPolicies: [
          quotaPolicy("q", { limit: 2, algorithm: "sliding-window" }),
          { ...quotaPolicy("h", { limit: 1 }), quota: { ...definition, hidden: true } },
        ],
      });
      for (const [call, status] of [
        [NGINX, 200],
        [TRAEFIK, 429],
      ] as const) {
        const { headers, ...reply } = await ask(call);
        assert.equal(reply.status, status);
        assert.equal(headers["ratelimit"], undefined);
        assert.equal(headers["x-ratelimit-limit"], "2");
        assert.equal(headers["x-ratelimit-remaining"], "1");
        assert.equal(headers["x-purser-quota-state"], "exact");
        assert.equal(headers["x-purser-policy"], status === 200 ? undefined : "QuotaPolicy/h");
      }
    });

    it("without RateLimit fields for quotas that do not apply or could not be counted", async () => {
      const store = adapterDeclaration("store", { quota: () => Promise.reject(new Error("away")) });
      const away = quotaPolicy("away", { store: "store", onStoreFailure: "allow" });
      for (const quotaPolicies of [[away], []]) {
        await apply({ version: String(quotaPolicies.length), handlers: [store], quotaPolicies });
        const { status, headers } = await ask(NGINX);
        assert.equal(status, 200);
        assert.equal(headers["ratelimit"], undefined);
        assert.equal(headers["ratelimit-policy"], undefined);
      }
    });

    it("a refusal even when the store names no retry time", async () => {
      const grant = { granted: 0, remaining: 0, resetMs: 0, retryAfterMs: 0, validForMs: 0, slot: 0 };
      const store = adapterDeclaration("store", { quota: () => [grant] });
      await apply({ handlers: [store], quotaPolicies: [quotaPolicy("q", { store: "store" })] });
      assert.equal((await ask(TRAEFIK)).status, 429);
    });

    it("an error as an error, with its code", async () => {
      const store = adapterDeclaration("store", { quota: () => Promise.reject(new Error("away")) });
      await apply({
        handlers: [store],
        quotaPolicies: [quotaPolicy("q", { store: "store", onStoreFailure: "deny" })],
      });
      for (const form of [NGINX, TRAEFIK]) {
        const answer = await ask(form);
        assert.equal(answer.status, 503);
        assert.equal(answer.headers["x-purser-error"], "PURSER_STORE_UNAVAILABLE");
      }
      await apply({ accessPolicies: [accessPolicy("a", { when: expression(() => "no boolean") })] });
      const answer = await ask(TRAEFIK);
      assert.equal(answer.status, 500);
      assert.equal(answer.headers["x-purser-error"], "PURSER_EXPR_EVALUATION");
    });

    it("never 2xx for a refusal, whatever a policy's direct response says", async () => {
      const respond = (httpStatus: number) => ({
        httpStatus,
        headers: { "X-Page": "1" },
        body: expression(() => "sorry"),
      });
      for (const [form, meant, status] of [
        [TRAEFIK, 200, 403],
        [NGINX, 204, 403],
        [TRAEFIK, 302, 302],
        [NGINX, 302, 403],
        [TRAEFIK, 418, 418],
      ] as const) {
        await apply({
          version: `${meant}`,
          accessPolicies: [accessPolicy("a", { directResponse: respond(meant) })],
        });
        const answer = await ask(form);
        assert.equal(answer.status, status, `${meant}`);
        assert.equal(answer.headers["x-page"], "1");
        assert.equal(answer.headers["x-purser-status"], status === meant ? undefined : `${meant}`);
        assert.equal(answer.body, "sorry");
      }
    });

    it("with the headers that the edge would send: UTF-8, single-valued fields once, none reserved", async () => {
      await apply({
        accessPolicies: [
          accessPolicy("a", {
            directResponse: {
              httpStatus: 403,
              headers: { "Content-Type": "text/html", "x-own": "José", "x-set": "own" },
              body: undefined,
            },
            headers: {
              request: { set: [], append: [], remove: [] },
              response: {
                set: [["x-set", expression(() => "日本")]],
                append: [["content-type", expression(() => "text/css")]],
                remove: [],
              },
            },
          }),
        ],
      });
      const { headers } = await ask(TRAEFIK);
      const text = (name: string): string => Buffer.from(String(headers[name]), "latin1").toString();
      assert.equal(headers["content-type"], "text/css");
      assert.deepEqual([text("x-own"), text("x-set")], ["José", "日本"]);
    });

    it("each call with a charge of its own", async () => {
      await apply({ quotaPolicies: [quotaPolicy("q", { limit: 2 })] });
      const statuses = [await ask(TRAEFIK), await ask(TRAEFIK), await ask(TRAEFIK)].map(
        ({ status }) => status,
      );
      assert.deepEqual(statuses, [200, 200, 429]);
    });
  });
});
