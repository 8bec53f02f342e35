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
