// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { request } from "undici";
import { type Issuer, issuerOf } from "../../proxy/authentication/issuer-rig.test.ts";
import { eventually } from "../support/eventually.ts";
import { type MeshProgram, startMesh } from "../support/mesh-program.ts";
import { runProgram } from "../support/program.ts";

// The built program in front of an issuer whose keys change, go away and come back.

const NAME = "https://issuer.example";

const documents = (jwksUri: string, issuer = NAME): string => `
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: { name: users }
spec:
  selector: { matchLabels: { istio: ingressgateway } }
  jwtRules:
    - issuer: ${issuer}
      jwksUri: ${jwksUri}
      outputClaimToHeaders: [{ header: x-user, claim: sub }]
---
apiVersion: purser.dev/v1
kind: AccessPolicy
metadata: { name: staff }
spec:
  action: ALLOW
  when: $exists(request.auth.principal) and "staff" in request.auth.claims.groups
`;

/** The tokens' times are the program's own. */
const claims = (groups: readonly string[]) => ({ groups, exp: Math.floor(Date.now() / 1_000) + 600 });

/** An issuer's server of keys. */
class JwksServer {
  readonly #server: Server;
  keys: readonly object[] = [];
  /** Whether requests get no answer. */
  hangs = false;
  fetches = 0;

  constructor() {
    this.#server = createServer((_incoming, outgoing) => {
      this.fetches += 1;
      if (!this.hangs) outgoing.end(JSON.stringify({ keys: this.keys }));
    });
  }

  async start(port = 0): Promise<number> {
    await new Promise<void>((resolve) => this.#server.listen(port, "127.0.0.1", resolve));
    return (this.#server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

describe("users' tokens in the built program", function () {
  this.timeout(60_000);
  const seen: string[] = [];
  let mesh: MeshProgram;
  let jwks: JwksServer;
  let jwksUri: string;
  const first = issuerOf(NAME, "RS256", "first");
  const second = issuerOf(NAME, "ES256", "second");

  before(async () => {
    jwks = new JwksServer();
    jwks.keys = [first.jwk];
    jwksUri = `http://127.0.0.1:${await jwks.start()}/jwks`;
    mesh = await startMesh(documents(jwksUri), {
      listener: (incoming, outgoing) => {
        seen.push(String(incoming.headers["x-user"]));
        outgoing.end(String(incoming.headers.authorization));
      },
    });
  });
  after(async () => {
    await mesh?.stop();
    await jwks?.stop();
  });

  const get = async (
    token?: string,
  ): Promise<{ readonly status: number; readonly challenge: unknown; readonly text: string }> => {
    // The global fetch sends no Host header of the caller's.
    const { statusCode, headers, body } = await request(mesh.edge, {
      headers: { host: "shop", ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) },
    });
    return { status: statusCode, challenge: headers["www-authenticate"], text: await body.text() };
  };
  const statusFor = async (issuer: Issuer, groups: readonly string[]): Promise<number> =>
    (await get(issuer.token(claims(groups)))).status;

  it("are verified; policies decide by their claims", async () => {
    const answer = await get(first.token(claims(["staff"])));
    assert.equal(answer.status, 200);
    assert.equal(answer.text, "undefined");
    assert.deepEqual(seen, ["ann"]);
    assert.equal(await statusFor(first, ["guests"]), 403);
    assert.equal((await get()).status, 403);
    const bad = await get(`${first.token(claims(["staff"])).slice(0, -8)}AAAAAAAA`);
    assert.equal(bad.status, 401);
    assert.match(String(bad.challenge), /^Bearer realm="[^"]+", error="invalid_token"$/);
    assert.equal((await get("nonsense")).status, 401);
    assert.equal(await statusFor(second, ["staff"]), 401);
    assert.equal(seen.length, 1);
  });

  it("are verified by new keys under load, without a failed request", async () => {
    const counts = new Map<number, number>();
    let issuer = first;
    let ends = false;
    const client = async (): Promise<void> => {
      for (let call = 0; !ends; call++) {
        const { status } = await get(issuer.token({ ...claims(["staff"]), jti: String(call % 50) }));
        counts.set(status, (counts.get(status) ?? 0) + 1);
      }
    };
    const clients = Array.from({ length: 8 }, client);
    const total = (): number => [...counts.values()].reduce((sum, count) => sum + count, 0);
    const reach = (requests: number): Promise<void> =>
      eventually(async () => assert.ok(total() >= requests), { everyMs: 10 });
    // The issuer publishes the new key, and signs with it at once: no proxy has fetched it by then.
    await reach(200);
    jwks.keys = [first.jwk, second.jwk];
    issuer = second;
    await reach(500);
    ends = true;
    await Promise.all(clients);
    assert.deepEqual([...counts.keys()], [200]);
  });

  it("are verified by the last good keys while the issuer hangs, is away or serves nonsense", async () => {
    const metric = async (): Promise<string> =>
      (await (await fetch(`${mesh.admin}/stats/prometheus`)).text())
        .split("\n")
        .filter((line) => line.startsWith("purser_proxy_jwks"))
        .join("\n");
    jwks.hangs = true;
    const startMs = performance.now();
    // A token with an unknown key causes a fetch, and waits for it; the others do not.
    const unknown = get(issuerOf(NAME, "ES256", "third").token(claims(["staff"])));
    assert.equal(await statusFor(second, ["staff"]), 200);
    assert.equal(await statusFor(first, ["staff"]), 200);
    assert.ok(performance.now() - startMs < 2_000);
    assert.equal((await unknown).status, 401);
    const tookMs = performance.now() - startMs;
    assert.ok(tookMs < 7_000, `${tookMs} ms`);
    jwks.hangs = false;
    jwks.keys = [];
    await eventually(async () => assert.match(await metric(), /fetches_total\{[^}]*result="failed"\} [1-9]/));
    await jwks.stop();
    for (const issuer of [first, second]) assert.equal(await statusFor(issuer, ["staff"]), 200);
    assert.match(await metric(), /purser_proxy_jwks_age_seconds\{url="[^"]+"\} \d/);
  });

  it("are refused when no keys were ever fetched, and explained by keys in the document", async () => {
    mesh.folder.write("policies.yaml", documents("http://127.0.0.1:1/jwks"));
    await eventually(async () => assert.equal(await statusFor(first, ["staff"]), 401));
    const inline = documents("X").replace("jwksUri: X", `jwks: '${first.jwks}'`);
    mesh.folder.write("policies.yaml", inline);
    await eventually(async () => assert.equal(await statusFor(first, ["staff"]), 200));
    assert.equal(await statusFor(second, ["staff"]), 401);
    const explain = async (token: string): Promise<{ code: number | null; text: string }> => {
      const program = runProgram("cli/purser.js", [
        "explain",
        "-c",
        mesh.folder.path,
        "--request=GET http://shop/",
        "--all",
        "-H",
        `authorization: Bearer ${token}`,
      ]);
      const code = await program.ended();
      return { code, text: program.output() + program.errors() };
    };
    const allowed = await explain(first.token(claims(["staff"])));
    assert.match(allowed.text, /allow/i);
    assert.match(allowed.text, /issuer\.example\/ann|staff/);
    const refused = await explain("nonsense");
    assert.match(refused.text, /401/);
  });
});
