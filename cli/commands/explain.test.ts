// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Explanation } from "../../core/explain/explanation.ts";
import { main } from "../main.ts";

/** Runs the program in this process and captures its output. */
async function purser(...args: readonly string[]) {
  const streams = { stdout: process.stdout, stderr: process.stderr };
  const written = { stdout: "", stderr: "" };
  const restore = Object.entries(streams).map(([name, stream]) => {
    const write = stream.write.bind(stream);
    stream.write = (text: string | Uint8Array) => {
      written[name as keyof typeof written] += String(text);
      return true;
    };
    return () => void (stream.write = write);
  });
  try {
    return { code: await main(args), ...written };
  } finally {
    for (const each of restore) each();
  }
}

const POLICIES = `apiVersion: purser.dev/v1
kind: AccessPolicy
metadata: { name: old }
spec: { action: DENY, when: $now() > "2027" }
---
kind: AccessPolicy
metadata: { name: guests }
spec: { action: DENY, when: request.headers."x-user" = "guest" }
`;

const TESTS = `apiVersion: purser.dev/v1
kind: PolicyTest
metadata: { name: guests }
spec:
  policies: [policies.yaml]
  cases:
    - { name: refused, bag: { request: { headers: { x-user: guest } } }, expect: { decision: deny } }
    - { name: allowed, bag: { request: { headers: {} } }, expect: { decision: deny } }
`;

describe("on the command line", () => {
  let folder: string;
  let policies: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "purser-commands-"));
    policies = join(folder, "policies.yaml");
    await writeFile(policies, POLICIES);
    await writeFile(join(folder, "bag.json"), '{"request": {"headers": {"x-user": "guest"}}}');
    await writeFile(join(folder, "tests.yaml"), TESTS);
  });
  after(() => rm(folder, { recursive: true, force: true }));

  describe("purser explain", () => {
    const explain = (...args: readonly string[]) => purser("explain", "-c", policies, ...args);

    it("explains a bag at a time, as JSON", async () => {
      const bag = join(folder, "bag.json");
      const { code, stdout } = await explain("--bag", bag, "--json", "--at", "2026-01-31T12:00:00Z");
      assert.equal(code, 0);
      const explanation = JSON.parse(stdout) as Explanation;
      assert.equal(explanation.decision.decidedBy?.name, "guests");
      assert.equal(explanation.nowMs, Date.parse("2026-01-31T12:00:00Z"));
      const later = await explain("--bag", bag, "--json", "--at", "2028-01-31T12:00:00Z");
      assert.equal((JSON.parse(later.stdout) as Explanation).decision.decidedBy?.name, "old");
    });

    it("explains a request, by only one policy", async () => {
      const request = ["--request", "GET http://reviews/", "-H", "x-user: guest"];
      const { stdout } = await explain(...request, "--policy", "guests", "--at", "2028-01-31T12:00:00Z");
      assert.match(stdout, /^refused: PERMISSION_DENIED \(403\) by AccessPolicy guests/);
      assert.ok(!stdout.includes("AccessPolicy old"));
    });

    it("reports wrong flags and input", async () => {
      const cases: readonly (readonly [readonly string[], RegExp])[] = [
        [[], /give either --bag or --request/],
        [["--bag", join(folder, "gone.json")], /the bag in .*gone\.json cannot be read/],
        [["--bag", policies], /cannot be read/],
        [["--request", "GET http://a/", "--policy", "gusts"], /did you mean guests\?/],
        [["--request", "GET http://a/", "--at", "noon"], /It must be an ISO 8601 time/],
      ];
      for (const [args, message] of cases) {
        const { code, stderr } = await explain(...args);
        assert.equal(code, 2);
        assert.match(stderr, message);
      }
    });
  });

  describe("purser explain, of Rules", () => {
    const HANDLERS = `apiVersion: purser.dev/v1
kind: Handler
metadata: { name: users }
spec: { plugin: list, config: { mode: allow, type: exact, entries: [ann], file: more.txt } }
---
kind: Rule
metadata: { name: known-users }
spec:
  instances: [{ name: user, template: listentry, params: { value: 'request.headers."x-user"' } }]
  actions: [{ handler: users, instances: [user] }]
---
kind: Handler
metadata: { name: closed }
spec: { plugin: deny, config: { status: { code: UNAVAILABLE, message: closed } } }
---
kind: Rule
metadata: { name: closed-path }
spec:
  match: request.url_path = "/closed"
  instances: [{ name: nothing, template: checknothing }]
  actions: [{ handler: closed, instances: [nothing] }]
---
kind: Handler
metadata: { name: tell }
spec: { plugin: header-operations, config: { request: [{ operation: set, name: x-told, from: user }] } }
---
kind: Rule
metadata: { name: tell-upstream }
spec:
  instances: [{ name: who, template: headers, params: { values: { user: 'request.headers."x-user"' } } }]
  actions: [{ handler: tell, instances: [who] }]
---
kind: Handler
metadata: { name: roles }
spec:
  adapter: rbac
  config:
    roles: { reader: { rules: [{ methods: [GET] }] } }
    bindings: [{ role: reader, subjects: [{ anyone: true }] }]
---
kind: Rule
metadata: { name: by-role }
spec:
  instances: [{ name: what, template: authorization, params: { action: { method: request.method } } }]
  actions: [{ handler: roles, instances: [what] }]
---
kind: Handler
metadata: { name: opa }
spec: { adapter: opa, config: { url: "http://127.0.0.1:9", path: authz } }
---
kind: Rule
metadata: { name: by-opa }
spec:
  instances: [{ name: what, template: authorization, params: { action: { method: request.method } } }]
  actions: [{ handler: opa, instances: [what] }]
---
kind: Handler
metadata: { name: revoked }
spec: { plugin: list, config: { mode: deny, type: exact, entries: [eve], url: "http://127.0.0.1:9/revoked" } }
---
kind: Rule
metadata: { name: not-revoked }
spec:
  instances: [{ name: user, template: listentry, params: { value: 'request.headers."x-user"' } }]
  actions: [{ handler: revoked, instances: [user] }]
`;

    let file: string;
    const explain = (line: string, user: string, ...args: readonly string[]) =>
      purser("explain", "-c", file, "--request", line, "-H", `x-user: ${user}`, ...args);

    before(async () => {
      file = join(folder, "handlers.yaml");
      await writeFile(file, HANDLERS);
      await writeFile(join(folder, "more.txt"), "bob\neve\n");
    });

    it("runs plugins and adapters that need no network, and names the others with the reason", async () => {
      const { code, stdout } = await explain("GET http://a/", "bob");
      assert.equal(code, 0, stdout);
      assert.match(
        stdout,
        /^allowed, unless handler opa, which was not asked, or handler revoked, which was not asked, refuses$/m,
      );
      assert.match(stdout, /^ {2}request header set x-told: bob$/m);
      assert.match(
        stdout,
        /the handler opa was not asked: it is an adapter, and no backend is called here$/m,
      );
      assert.match(
        stdout,
        /the handler revoked was not asked: it needs the network, which is not used here$/m,
      );
      assert.ok(!/handler (users|tell|roles|closed)/.test(stdout), stdout);
      const json = JSON.parse((await explain("GET http://a/", "bob", "--json")).stdout) as Explanation;
      assert.deepEqual(
        json.unaskedHandlers?.map(({ handler }) => handler),
        ["opa", "revoked"],
      );
    });

    it("decides by the plugins' answers", async () => {
      const cases = [
        ["GET http://a/", "joe", /^refused: PERMISSION_DENIED .* by Rule known-users/],
        ["GET http://a/x/../closed", "ann", /^refused: UNAVAILABLE \(503\) by Rule closed-path/],
        ["POST http://a/", "ann", /^refused: PERMISSION_DENIED \(403\) by Rule by-role/],
        // An entry of the document needs no network.
        ["GET http://a/", "eve", /^refused: PERMISSION_DENIED \(403\) by Rule not-revoked/],
      ] as const;
      for (const [line, user, said] of cases) assert.match((await explain(line, user)).stdout, said);
    });
  });

  describe("purser test", () => {
    it("exits with 0, 1 or 2", async () => {
      const passing = await purser("test", folder, "--filter", "guests/ref*");
      assert.match(passing.stdout, /^1 passed$/m);
      assert.equal(passing.code, 0);
      const failing = await purser("test", folder);
      assert.match(failing.stdout, /^1 passed, 1 failed$/m);
      assert.equal(failing.code, 1);
      const none = await purser("test", folder, "--filter", "nothing");
      assert.match(none.stderr, /no case matches --filter nothing/);
      assert.equal(none.code, 2);
      assert.equal((await purser("test", policies)).code, 2);
    });

    it("fails when the coverage is too low", async () => {
      const covered = await purser("test", folder, "--filter", "refused", "--coverage-threshold", "100");
      assert.equal(covered.code, 0);
      await writeFile(
        join(folder, "policies.yaml"),
        `${POLICIES}---\nkind: AccessPolicy\nmetadata: { name: never }\nspec: { action: AUDIT, match: "false", when: request.size > 5 }\n`,
      );
      const bare = await purser(
        "test",
        folder,
        "--filter",
        "refused",
        "--coverage",
        "--coverage-threshold",
        "90",
      );
      assert.equal(bare.code, 1);
      assert.match(bare.stdout, /\^{16} never reached/);
      assert.match(bare.stderr, /are covered, less than --coverage-threshold 90 %/);
    });

    it("writes results to a file", async () => {
      const output = join(folder, "results.xml");
      const { code, stdout } = await purser("test", folder, "--format", "junit", "--output", output);
      assert.equal(code, 1);
      assert.match(stdout, /^1 passed, 1 failed$/m);
    });
  });
});
