// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import type { IncomingHttpHeaders } from "node:http";
import type { JwtRule } from "../../core/traffic/resources/request-authentication.ts";
import { encoded, issuerOf, ruleOf } from "../authentication/issuer-rig.test.ts";
import type { JwksClient } from "../authentication/jwks/fetch-jwks.ts";
import { call, cleanUp, groupOf, later, raw, type Rig, startWith, until } from "../testing/harness.test.ts";

const ISSUER = issuerOf("https://issuer.example");
const OTHER = issuerOf("https://other.example");
const bearer = (token: string): string => `Bearer ${token}`;

/** A proxy with these rules, and what its upstream got. */
async function start(
  rules: readonly JwtRule[],
  jwksClient?: JwksClient,
): Promise<Rig & { readonly seen: { url: string; headers: IncomingHttpHeaders; trailers: unknown }[] }> {
  const seen: { url: string; headers: IncomingHttpHeaders; trailers: unknown }[] = [];
  const rig = await startWith(
    (incoming, outgoing) => {
      incoming.resume().on("end", () => {
        seen.push({ url: incoming.url ?? "", headers: incoming.headers, trailers: incoming.trailers });
        outgoing.end("ok");
      });
    },
    {
      listener: { requestAuthentication: { rules } },
      ...(jwksClient === undefined ? {} : { proxy: { jwksClient } }),
    },
  );
  return { ...rig, seen };
}

const metric = async (rig: Rig, name: string): Promise<readonly string[]> =>
  (await rig.proxy.registry.metrics()).split("\n").filter((line) => line.startsWith(name));

describe("the authentication of requests", () => {
  afterEach(cleanUp);

  it("lets a request without a token pass, without request.auth", async () => {
    const rig = await start([ruleOf(ISSUER)]);
    for (const headers of [{}, { authorization: "Basic YTpi" }, { authorization: "Bearer" }])
      assert.equal((await call(rig.port, { headers })).status, 200);
    assert.ok(rig.policy.checks.every((bag) => !("auth" in (bag["request"] as object))));
    assert.equal(rig.seen[1]?.headers.authorization, "Basic YTpi");
    assert.deepEqual(await metric(rig, "purser_proxy_authentications_total"), [
      'purser_proxy_authentications_total{listener="edge",result="no_token"} 3',
    ]);
  });

  it("tells policies and reports of the user, and hides the token from them and the upstream", async () => {
    const rig = await start([ruleOf(ISSUER)]);
    const token = ISSUER.token({ groups: ["staff"] });
    for (const authorization of [bearer(token), `bearer ${token}`, `BEARER   ${token}`])
      assert.equal((await call(rig.port, { headers: { authorization } })).status, 200);
    await until(() => rig.policy.reports.length === 3);
    for (const bag of [...rig.policy.checks, ...rig.policy.reports]) {
      const request = bag["request"] as Readonly<Record<string, Readonly<Record<string, unknown>>>>;
      assert.equal(request["auth"]?.["principal"], "https://issuer.example/ann");
      assert.deepEqual((request["auth"]?.["claims"] as { groups?: unknown } | undefined)?.groups, ["staff"]);
      assert.equal(request["headers"]?.["authorization"], undefined);
    }
    assert.ok(rig.seen.every(({ headers }) => headers.authorization === undefined));
    assert.deepEqual(await metric(rig, "purser_proxy_authentications_total"), [
      'purser_proxy_authentications_total{listener="edge",result="verified"} 1',
      'purser_proxy_authentications_total{listener="edge",result="cached"} 2',
    ]);
  });

  it("refuses an invalid token with 401, a challenge and Envoy's text, before the policies are asked", async () => {
    const rig = await start([ruleOf(ISSUER)]);
    const reply = await call(rig.port, {
      path: '/a?access_token=x.y.z&b="c"',
      headers: { host: "shop" },
    });
    assert.equal(reply.status, 401);
    assert.equal(reply.headers["www-authenticate"], 'Bearer realm="http://shop/a", error="invalid_token"');
    assert.equal(reply.headers["x-purser-error"], "PURSER_PROXY_TOKEN");
    assert.equal((JSON.parse(reply.body) as { detail: string }).detail, "Jwt header is an invalid JSON");
    assert.deepEqual(rig.policy.checks, []);
    await until(() => rig.policy.reports.length === 1);
    const request = groupOf(rig.policy.reports, "request");
    assert.equal(request["path"], '/a?b="c"');
    assert.equal(
      groupOf(rig.policy.reports, "response")["code_details"],
      "jwt_authn_access_denied{Jwt_header_is_an_invalid_JSON}",
    );
  });

  it("refuses another audience with 403", async () => {
    const rig = await start([ruleOf(ISSUER, { audiences: ["shop"] })]);
    const reply = await call(rig.port, { headers: { authorization: bearer(ISSUER.token({ aud: "x" })) } });
    assert.equal(reply.status, 403);
    assert.match(reply.body, /Audiences in Jwt are not allowed/);
  });

  it("refuses a gRPC call with UNAUTHENTICATED", async () => {
    const rig = await start([ruleOf(ISSUER)]);
    const headers = { "content-type": "application/grpc", authorization: "Bearer x" };
    const reply = await call(rig.port, { method: "POST", headers });
    assert.equal(reply.status, 200);
    assert.equal(reply.headers["grpc-status"], "16");
  });

  it("refuses a request with several tokens, the same one too", async () => {
    const rig = await start([ruleOf(ISSUER), ruleOf(OTHER)]);
    const token = ISSUER.token();
    const several = [
      { path: `/?access_token=${token}`, headers: { authorization: bearer(token) } },
      { path: `/?access_token=${token}`, headers: { authorization: bearer(OTHER.token()) } },
      { path: `/?access_token=${token}&access%5Ftoken=${token}`, headers: {} },
      { path: `/?access_token=&access_token=${token}`, headers: {} },
    ];
    for (const request of several) {
      const reply = await call(rig.port, request);
      assert.equal(reply.status, 401, request.path);
      assert.match(reply.body, /more than one Jwt/);
    }
    const twice = await raw(
      rig.port,
      `GET / HTTP/1.1\r\nhost: a\r\nauthorization: Bearer ${token}\r\nauthorization: Bearer ${token}\r\nconnection: close\r\n\r\n`,
    );
    assert.match(twice, /^HTTP\/1.1 401 /);
    const joined = await call(rig.port, { headers: { authorization: `Bearer ${token}, Bearer ${token}` } });
    assert.equal(joined.status, 401);
    assert.deepEqual(rig.seen, []);
  });

  it("finds tokens in headers, parameters and cookies, and removes them there alone", async () => {
    const rig = await start([
      ruleOf(ISSUER, {
        places: [
          { kind: "header", name: "x-token", prefix: "" },
          { kind: "header", name: "x-token", prefix: "jwt=" },
          { kind: "param", name: "t k" },
          { kind: "cookie", name: "session" },
        ],
      }),
    ]);
    const token = ISSUER.token();
    const calls: readonly (readonly [path: string, headers: Record<string, string>])[] = [
      ["/", { "x-token": token }],
      ["/", { "x-token": `JWT=${token}` }],
      [`/p?a=1&t+k=${token}&b=%32`, {}],
      [`/p?t%20k=${token}`, {}],
      ["/", { cookie: `a=1; session=${token}; b=2` }],
      ["/", { cookie: `session="${token}"` }],
    ];
    for (const [path, headers] of calls) assert.equal((await call(rig.port, { path, headers })).status, 200);
    assert.ok(rig.policy.checks.every((bag) => "auth" in (bag["request"] as object)));
    assert.ok(!JSON.stringify(rig.seen).includes(token.slice(-20)));
    assert.deepEqual(
      rig.seen.map(({ url }) => url),
      ["/", "/", "/p?a=1&b=%32", "/p", "/", "/"],
    );
    assert.deepEqual(
      rig.seen.map(({ headers }) => headers.cookie),
      [undefined, undefined, undefined, undefined, "a=1; b=2", undefined],
    );
    // A place of no rule: the application's own business.
    const authorization = bearer(token);
    assert.equal((await call(rig.port, { headers: { authorization } })).status, 200);
    assert.equal(rig.seen.at(-1)?.headers.authorization, authorization);
  });

  it("accepts an issuer's tokens in the places of its own rule alone", async () => {
    const rig = await start([
      ruleOf(ISSUER),
      ruleOf(OTHER, { places: [{ kind: "header", name: "x-other", prefix: "" }] }),
    ]);
    const wrong = await call(rig.port, { headers: { authorization: bearer(OTHER.token()) } });
    assert.equal(wrong.status, 401);
    assert.match(wrong.body, /Jwt issuer is not configured/);
    assert.equal((await call(rig.port, { headers: { "x-other": OTHER.token() } })).status, 200);
  });

  it("forwards the token where the rule says so", async () => {
    const rig = await start([ruleOf(ISSUER, { forwardsToken: true })]);
    const authorization = bearer(ISSUER.token());
    assert.equal((await call(rig.port, { headers: { authorization } })).status, 200);
    assert.equal(rig.seen[0]?.headers.authorization, authorization);
  });

  it("writes claims into headers, and removes clients' own, in trailers too", async () => {
    const rig = await start([
      ruleOf(ISSUER, {
        payloadHeader: "x-payload",
        claimHeaders: [
          { header: "x-user", claim: "sub" },
          { header: "x-team", claim: "team" },
        ],
      }),
    ]);
    const forged = { "x-user": "chief", "X-Team": "chiefs", "x-payload": "e30" };
    assert.equal((await call(rig.port, { headers: forged })).status, 200);
    const token = ISSUER.token({ sub: "änn\r\nx-evil: 1" });
    const authorization = bearer(token);
    assert.equal((await call(rig.port, { headers: { ...forged, authorization } })).status, 200);
    const chunked = [
      "POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\ntrailer: x-user, x-fine\r\nconnection: close\r\n\r\n",
      "2\r\nhi\r\n0\r\nx-user: chief\r\nx-fine: 1\r\n\r\n",
    ];
    assert.match(await raw(rig.port, chunked), /^HTTP\/1.1 200 /);
    const [without, withToken, trailers] = rig.seen;
    for (const name of Object.keys(forged)) assert.equal(without?.headers[name.toLowerCase()], undefined);
    assert.equal(withToken?.headers["x-user"], Buffer.from("änn  x-evil: 1").toString("latin1"));
    assert.equal(withToken?.headers["x-team"], undefined);
    assert.equal(withToken?.headers["x-payload"], token.split(".")[1]);
    assert.equal(withToken?.headers["x-evil"], undefined);
    assert.deepEqual({ ...(trailers?.trailers as object) }, { "x-fine": "1" });
    // Policies see the same headers.
    const headers = rig.policy.checks.map((bag) => (bag["request"] as { headers: object }).headers);
    assert.ok(!("x-user" in (headers[0] as object)) && "x-user" in (headers[1] as object));
  });

  it("waits for keys no longer than the rule says, and decides by changed documents' keys", async () => {
    let answer: (text: string) => void = () => {};
    const client: JwksClient = {
      fetch: () =>
        new Promise((resolve) => {
          answer = (text) => resolve({ text, cacheControl: undefined });
        }),
      close: async () => {},
    };
    const keys = { kind: "remote", url: "https://issuer.example/jwks", timeoutMs: 200 } as const;
    const rig = await start([ruleOf(ISSUER, { keys })], client);
    const headers = { authorization: bearer(ISSUER.token()) };
    const startMs = performance.now();
    const reply = await call(rig.port, { headers });
    const tookMs = performance.now() - startMs;
    assert.equal(reply.status, 401);
    assert.match(reply.body, /Jwks remote fetch is failed/);
    assert.equal(reply.headers["x-purser-error"], "PURSER_PROXY_TOKEN_KEYS");
    assert.ok(tookMs < 1_000, `${tookMs} ms`);
    assert.deepEqual(await metric(rig, "purser_proxy_jwks_fetches_total"), [
      'purser_proxy_jwks_fetches_total{url="https://issuer.example/jwks",result="failed"} 1',
    ]);
    // The second try comes after a second at the earliest.
    for (let tries = 0; tries < 40; tries++) {
      answer(ISSUER.jwks);
      if ((await call(rig.port, { headers })).status === 200) break;
      await later(100);
    }
    assert.equal((await call(rig.port, { headers })).status, 200);
    const [age = ""] = await metric(rig, "purser_proxy_jwks_age_seconds{");
    assert.match(age, /^purser_proxy_jwks_age_seconds\{url="https:\/\/issuer.example\/jwks"\} \d/);
  }).timeout(10_000);

  it("survives a client that leaves while it waits", async () => {
    const client: JwksClient = { fetch: () => new Promise(() => {}), close: async () => {} };
    const keys = { kind: "remote", url: "https://issuer.example/jwks", timeoutMs: 300 } as const;
    const rig = await start([ruleOf(ISSUER, { keys })], client);
    await raw(rig.port, `GET / HTTP/1.1\r\nhost: a\r\nauthorization: Bearer ${ISSUER.token()}\r\n\r\n`, 50);
    await later(400);
    assert.equal((await call(rig.port)).status, 200);
    assert.deepEqual(
      rig.logger.lines.filter(({ level }) => level === "error"),
      [],
    );
  });

  it("costs a garbled token nothing but its own request", async () => {
    const rig = await start([ruleOf(ISSUER)]);
    const header = encoded({ alg: "ES256" });
    const tokens = ["a.b", `${header}.${"A".repeat(15_000)}.AAAA`, `${header}.e30.AAAA`, "é.é.é"];
    for (const token of tokens)
      assert.equal(
        (await call(rig.port, { path: `/?access_token=${encodeURIComponent(token)}` })).status,
        401,
      );
    assert.equal((await call(rig.port, { headers: { authorization: bearer(ISSUER.token()) } })).status, 200);
  });
});
