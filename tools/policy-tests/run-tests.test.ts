// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";
import { coveragePercent } from "../../core/explain/coverage.ts";
import { styleOf } from "../terminal.ts";
import type { ReadSnapshot } from "../read-snapshot.ts";
import { readConfig } from "../../cli/compose/part-config.ts";
import { createRuntime } from "../../cli/compose/runtime.ts";
import { findTests } from "./find-tests.ts";
import { jsonReport, junitReport } from "./machine-reports.ts";
import { runTests } from "./run-tests.ts";
import { coverageText, textReport } from "./text-report.ts";

const EXAMPLES = fileURLToPath(new URL("../../policies/examples", import.meta.url));
const runtime = createRuntime({ logLevel: "warn", logFormat: "json" });
const readSnapshot: ReadSnapshot = (paths) => readConfig(paths, runtime);
const plain = styleOf({}, {});

const POLICY = `apiVersion: purser.dev/v1
kind: AccessPolicy
metadata: { name: guests }
spec:
  action: DENY
  when: request.headers."x-user" = "guest" or request.size > 5
`;

const TEST = `apiVersion: purser.dev/v1
kind: PolicyTest
metadata: { name: guests }
spec:
  policies: [./guests.yaml]
  cases:
    - name: guests <pass>
      bag: { request: { headers: { x-user: guest } } }
      expect: { decision: allow }
    - name: guests are refused
      bag: { request: { headers: { x-user: guest } } }
      expect: { decision: deny, decidedBy: guests }
    - name: not yet
      skip: the policy is being written
      expect: { decision: allow }
`;

describe("the tests of the shipped policies", () => {
  it("pass and cover every expression", async () => {
    const run = await runTests(await findTests([EXAMPLES]), { runtime, readSnapshot });
    assert.ok(run.cases.length >= 15);
    const failed = run.cases.filter(({ mismatches }) => mismatches.length > 0);
    assert.deepEqual(failed, [], textReport(run, plain));
    assert.equal(coveragePercent(run.coverage), 100);
  });
});

describe("policy tests", () => {
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "purser-policy-tests-"));
    await writeFile(join(folder, "guests.yaml"), POLICY);
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  async function run(test: string, isWanted?: (test: string, name: string) => boolean) {
    const file = join(folder, "guests.test.yaml");
    await writeFile(file, test);
    const options = isWanted === undefined ? { runtime, readSnapshot } : { runtime, readSnapshot, isWanted };
    return runTests(await findTests([folder]), options);
  }

  it("report the expectation, the decision and the explanation", async () => {
    const text = textReport(await run(TEST), plain);
    assert.match(text, /^FAIL guests \/ guests <pass> {2}.*guests\.test\.yaml:7:7$/m);
    assert.match(text, /decision\n +expected "allow"\n +got +"PERMISSION_DENIED"/);
    assert.match(text, /request\.headers\."x-user" = "guest" +true {2}<- decides/);
    assert.match(text, /^skip guests \/ not yet: the policy is being written$/m);
    assert.match(text, /^1 passed, 1 failed, 1 skipped$/m);
  });

  it("underline the parts that no case evaluated", async () => {
    const { coverage } = await run(TEST);
    assert.equal(
      coverageText(coverage, plain),
      `AccessPolicy guests  when  4/7 parts, 1/2 branches
  request.headers."x-user" = "guest" or request.size > 5
                                        ^^^^^^^^^^^^^^^^ never reached

coverage 55.6 %: 4 of 7 parts, 1 of 2 branches, 0 of 1 expressions whole
`,
    );
  });

  it("are reported as JSON and JUnit XML", async () => {
    const finished = await run(TEST);
    const report = JSON.parse(jsonReport(finished)) as { failed: number; cases: { status: string }[] };
    assert.equal(report.failed, 1);
    assert.deepEqual(
      report.cases.map(({ status }) => status),
      ["failed", "passed", "skipped"],
    );
    const xml = junitReport(finished);
    assert.match(xml, /<testsuite name="guests" tests="3" failures="1" skipped="1"/);
    assert.match(xml, /name="guests &lt;pass&gt;"/);
    assert.match(xml, /<failure message="decision: expected &quot;allow&quot;, got/);
  });

  it("are found in JSON, in a List, and however their kind is written", async () => {
    const [apiVersion, ...rest] = TEST.trimEnd().split("\n");
    const item = [`- ${apiVersion}`, ...rest.map((line) => `  ${line}`)].join("\n");
    const value: unknown = parse(TEST);
    const { kind: _kind, ...ofOneKind } = value as { readonly kind: string };
    for (const text of [
      JSON.stringify(value),
      JSON.stringify(value, undefined, 2),
      `apiVersion: v1\nkind: List\nitems:\n${item}\n`,
      JSON.stringify({ apiVersion: "purser.dev/v1", kind: "PolicyTestList", items: [ofOneKind] }),
      `\uFEFF${TEST.replace("apiVersion: purser.dev/v1\nkind", "kind")}apiVersion: purser.dev/v1\n`,
      TEST.replace("kind: ", "kind: !!str "),
      TEST.replace("kind: ", '"kind" : '),
    ])
      assert.equal((await run(text)).cases.length, 3, text);
  });

  it("can be selected by name", async () => {
    const { cases } = await run(TEST, (_, name) => name.includes("refused"));
    assert.deepEqual(
      cases.map(({ name }) => name),
      ["guests are refused"],
    );
  });

  it("report their own faults with locations", async () => {
    const faulty = TEST.replace("decidedBy: guests", "decidedby: guests")
      .replace(
        "expect: { decision: allow }\n    - name: guests are",
        "fixtures: [absent]\n    - name: guests are",
      )
      .replace("skip: the", "now: tomorrow\n      skip: the");
    await assert.rejects(run(faulty), (error: Error) => {
      assert.match(
        error.message,
        /guests\.test\.yaml:12:33: error: .*has no field "decidedby" \(did you mean "decidedBy"\?\)/,
      );
      assert.match(error.message, /spec\.cases\[2\]\.now must be/);
      return true;
    });
    const dangling = TEST.replace(
      "expect: { decision: allow }\n    - name: guests are",
      "fixtures: [absent]\n    - name: guests are",
    );
    await assert.rejects(run(dangling), (error: Error) => {
      assert.match(error.message, /:7:7: error: There is no fixture "absent"/);
      assert.match(error.message, /:7:7: error: The case expects nothing/);
      return true;
    });
    const table = TEST.replace(
      "expect: { decision: allow }\n    - name: guests are",
      "table: { columns: [a.b, expect.decision, expect.nothing], rows: [[1, maybe, 2], [1, allow]] }\n    - name: guests are",
    );
    await assert.rejects(run(table), (error: Error) => {
      assert.match(error.message, /:9:48: error: expect\.nothing is none of expect\.decision/);
      assert.match(error.message, /:9:76: error: expect\.decision must be allow, deny, /);
      assert.match(error.message, /:9:\d+: error: The row has 2 values for 3 columns/);
      return true;
    });
    await assert.rejects(run(TEST.replace("guests.yaml", "gone.yaml")), { code: "PURSER_CONFIG_REJECTED" });
    await assert.rejects(findTests([join(folder, "gone")]), { code: "PURSER_DOC_UNREADABLE" });
  });

  it("mock handlers, and count quotas in virtual time", async () => {
    await writeFile(
      join(folder, "guests.yaml"),
      `${POLICY}---
kind: Handler
metadata: { name: users }
spec: { plugin: deny }
---
kind: Rule
metadata: { name: known-users }
spec:
  instances: [{ name: nothing, template: checknothing }]
  actions: [{ handler: users, instances: [nothing] }]
---
kind: QuotaPolicy
metadata: { name: few }
spec: { limit: 1, window: 1d, algorithm: fixed-window }
`,
    );
    const { cases } = await run(`apiVersion: purser.dev/v1
kind: PolicyTest
metadata: { name: handlers }
spec:
  policies: [guests.yaml]
  cases:
    - name: refused by a handler
      bag: { request: { headers: {} } }
      handlers: { users: { status: UNAUTHENTICATED, message: who } }
      expect: { decision: UNAUTHENTICATED, message: who, decidedBy: known-users }
    - name: a day later
      bag: { request: { headers: {} } }
      steps:
        - { at: 0s, expect: allow }
        - { at: 1h, expect: RESOURCE_EXHAUSTED, decidedBy: few, retryAfter: 23h }
        - { at: 1d, expect: allow }
    - name: a wrong number
      bag: { request: { headers: {} } }
      steps: [{ at: 0s, times: 2, expect: allow }]
`);
    assert.deepEqual(
      cases.map(({ mismatches }) => mismatches),
      [
        [],
        [],
        [{ what: "steps[0] at 0s, request 2 of 2", expected: '"allow"', got: '"RESOURCE_EXHAUSTED"' }],
      ],
    );
  });

  it("show the quotas after the request of the step that failed", async () => {
    await writeFile(
      join(folder, "guests.yaml"),
      `apiVersion: purser.dev/v1
kind: QuotaPolicy
metadata: { name: few }
spec: { key: { user: 'request.headers."x-user"' }, limit: 2, window: 60s, algorithm: fixed-window }
---
kind: QuotaPolicy
metadata: { name: many }
spec: { key: { token: 'request.headers."x-api-key"' }, limit: 100, window: 1h, algorithm: fixed-window, mode: shadow }
---
kind: QuotaPolicy
metadata: { name: slots }
spec: { limit: 5, algorithm: concurrency }
`,
    );
    const failing = await run(`apiVersion: purser.dev/v1
kind: PolicyTest
metadata: { name: quotas }
spec:
  policies: [guests.yaml]
  now: 2026-01-07T10:00:00Z
  cases:
    - name: too many
      bag: { request: { headers: { x-user: ann, x-api-key: abcdefghij } } }
      steps:
        - { at: 0s, expect: allow }
        - { at: 15s, times: 2, expect: allow }
    - name: wrong remainder
      bag: { request: { headers: { x-user: ann } } }
      steps: [{ at: 10s, expect: allow, remaining: 0 }]
    - name: passes
      bag: { request: { headers: { x-user: ann } } }
      steps: [{ at: 10s, expect: allow, remaining: 1 }]
`);
    const text = textReport(failing, plain);
    const lines = text.split("\n");
    const at = lines.indexOf("     quotas after this request");
    assert.deepEqual(lines.slice(at + 1, at + 4), [
      '       few{"user":"ann"}: used 2 of 2, 0 remaining, whole again in 45s; refused the request',
      '       many{"token":"[redacted]"}: used 3 of 100, 97 remaining, whole again in 3585s; in shadow',
      "       slots{}: used 1 of 5 concurrent-requests, 4 remaining, whole again in 11s",
    ]);
    const [tooMany, wrong, passes] = failing.cases;
    assert.deepEqual(
      tooMany?.quotas?.map(({ policy, used, refuses }) => [policy, used, refuses]),
      [
        ["few", 2, true],
        ["many", 3, undefined],
        ["slots", 1, undefined],
      ],
    );
    assert.deepEqual([wrong?.quotas?.[0]?.remaining, wrong?.quotas?.[0]?.refuses], [1, undefined]);
    assert.equal(passes?.quotas, undefined);
    assert.ok(junitReport(failing).includes("few{&quot;user&quot;:&quot;ann&quot;}: used 2 of 2"));
    const report = JSON.parse(jsonReport(failing)) as { cases: { quotas?: { resetMs: number }[] }[] };
    assert.equal(report.cases[0]?.quotas?.[0]?.resetMs, 45_000);
  });
});
