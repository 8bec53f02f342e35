// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { request } from "undici";
import { type ReplayFlags, runReplay } from "../../tools/replay/run-replay.ts";
import { type ReplayOutcome, reportText } from "../../tools/replay/text.ts";
import { readConfig } from "../../cli/compose/part-config.ts";
import { createRuntime } from "../../cli/compose/runtime.ts";
import { eventually } from "../support/eventually.ts";
import { type MeshFolder, meshFolder } from "../support/mesh-folder.ts";
import { type MeshProgram, startMesh } from "../support/mesh-program.ts";
import { purser } from "../support/program.ts";

// Writes a decision log with a mesh, and replays it with changed policies.

const policies = (when: string): string => `apiVersion: purser.dev/v1
kind: AccessPolicy
metadata: { name: guarded }
spec: { action: DENY, when: '${when}' }
`;

const OLD = 'request.method = "DELETE"';

const logDocuments = (path: string): string => `apiVersion: purser.dev/v1
kind: Handler
metadata: { name: decision-log }
spec:
  adapter: decision-log
  config: { path: "${path}", hash: [request.headers.x-api-key], hashKey: 0123456789abcdef }
  delivery: { linger: 20ms }
---
kind: Rule
metadata: { name: decisions }
spec:
  instances: [{ name: decisions, template: decision }]
  actions: [{ handler: decision-log, instances: [decisions] }]
`;

const QUOTA = `apiVersion: purser.dev/v1
kind: QuotaPolicy
metadata: { name: per-key }
spec: { key: { k: 'request.headers."x-api-key"' }, limit: 2, window: 1h, algorithm: fixed-window }
`;

const METRIC = `apiVersion: purser.dev/v1
kind: Handler
metadata: { name: prometheus }
spec: { adapter: prometheus }
---
kind: Metric
metadata: { name: calls }
spec: { type: counter, value: 1, labels: { method: request.method }, handlers: [prometheus] }
`;

describe("a decision log, replayed", function () {
  this.timeout(60_000);
  let mesh: MeshProgram;
  let folder: MeshFolder;
  let log: string;

  before(async () => {
    folder = meshFolder({});
    log = join(folder.path, "decisions.jsonl");
    mesh = await startMesh(`${policies(OLD)}---\n${logDocuments(log)}`);
    const send = async (method: "GET" | "POST" | "DELETE", key: string): Promise<number> => {
      const headers = { host: "shop", "x-api-key": key, authorization: "Bearer s3cret" };
      const { statusCode, body } = await request(`${mesh.edge}/books`, { method, headers });
      await body.dump();
      return statusCode;
    };
    for (let count = 0; count < 4; count++) assert.equal(await send("GET", "one"), 200);
    assert.equal(await send("POST", "two"), 200);
    assert.equal(await send("DELETE", "two"), 403);
    await eventually(async () => {
      assert.equal((await readFile(log, "utf8")).split("\n").length, 7);
    });
  });
  after(async () => {
    await mesh?.stop();
    folder?.remove();
  });

  const replay = async (candidate: string, flags: Partial<ReplayFlags> = {}): Promise<ReplayOutcome> => {
    folder.write("candidate.yaml", candidate);
    const runtime = createRuntime({ logLevel: "warn", logFormat: "json" });
    const all = {
      log: [log],
      candidate: [join(folder.path, "candidate.yaml")],
      examples: 3,
      failOn: [],
      strict: false,
      ...flags,
    };
    return runReplay(all, runtime, (paths) => readConfig(paths, runtime), { step() {}, end() {} });
  };

  /** Runs `purser replay`. */
  const command = async (candidate: string, ...flags: readonly string[]) => {
    folder.write("candidate.yaml", candidate);
    const paths = flags.includes("--log") ? [] : ["--log", log];
    const program = purser("replay", ...paths, "--candidate", join(folder.path, "candidate.yaml"), ...flags);
    const code = await program.ended();
    return { code, output: program.output(), errors: program.errors() };
  };

  const observed = ({ report }: ReplayOutcome): Record<string, number> =>
    Object.fromEntries(report.changes.map(({ change, observed }) => [change, observed]));

  it("contains no secret", () => {
    assert.doesNotMatch(readFileSync(log, "utf8"), /s3cret|"one"|"two"/);
  });

  it("shows no difference under the policies that wrote it", async () => {
    const outcome = await replay(policies(OLD), { failOn: ["newly-denied", "newly-allowed", "faults"] });
    assert.deepEqual(outcome.failed, []);
    assert.deepEqual(outcome.report.unchanged, { observed: 6, estimated: 6 });
    assert.deepEqual(Object.values(observed(outcome)), [0, 0, 0, 0, 0]);
  });

  it("shows the requests that a changed policy denies and allows, with the document", async () => {
    const outcome = await replay(policies('request.method = "POST"'));
    const { "newly-denied": denied, "newly-allowed": allowed } = observed(outcome);
    assert.deepEqual([denied, allowed], [1, 1]);
    const text = reportText(outcome);
    assert.match(
      text,
      /newly denied: 1\n {4}AccessPolicy\/guarded: 1\n.*POST shop\/books: OK -> PERMISSION_DENIED/,
    );
  });

  it("counts quotas by hashed keys, and the series of metrics", async () => {
    const candidate = `${policies(OLD)}---\n${QUOTA}---\n${METRIC}`;
    const { report, failed } = await replay(candidate, { failOn: ["quota-refusals"] });
    assert.deepEqual(failed, ["quota-refusals"]);
    const [quota] = report.quotas;
    assert.deepEqual(
      [quota?.charged, quota?.refused, quota?.refusedKeys],
      [{ observed: 5, estimated: 5 }, { observed: 2, estimated: 2 }, 1],
    );
    const [calls] = report.series;
    assert.deepEqual([calls?.metric, calls?.series], ["calls", 3]);
  });

  it("can be compared with other documents", async () => {
    folder.write("old.yaml", policies('request.method = "POST"'));
    const outcome = await replay(policies("false"), { baseline: [join(folder.path, "old.yaml")] });
    assert.equal(outcome.report.against, "baseline");
    assert.equal(observed(outcome)["newly-allowed"], 1);
  });

  it("reports the decisions that read redacted values", async () => {
    const text = reportText(await replay(policies('request.headers.authorization = "Bearer s3cret"')));
    assert.match(text, /6 decisions read request\.headers\.authorization, which the log redacts: unreliable/);
  });

  it("can be read compressed, and from several files", async () => {
    const packed = join(folder.path, "old.jsonl.gz");
    writeFileSync(packed, gzipSync(readFileSync(log)));
    const { report } = await replay(policies(OLD), { log: [log, packed] });
    assert.deepEqual(report.requests, { observed: 12, estimated: 12 });
  });

  it("makes the command exit with 1 when it finds a change given to --fail-on", async () => {
    const { code, output, errors } = await command(policies("false"), "--json", "--fail-on", "newly-allowed");
    assert.equal(errors, "");
    assert.equal(code, 1);
    const { failed, requests } = JSON.parse(output) as { failed: unknown; requests: unknown };
    assert.deepEqual([failed, requests], [["newly-allowed"], { observed: 6, estimated: 6 }]);
  });

  it("may have malformed lines, unless --strict is given", async () => {
    const broken = join(folder.path, "broken.jsonl");
    writeFileSync(broken, `{"v":1,"ti\n${readFileSync(log, "utf8")}{"v":2}\n`);
    const lenient = await command(policies(OLD), "--log", broken);
    assert.equal(lenient.code, 0);
    assert.match(
      lenient.output,
      /2 lines are malformed.*\n.*broken\.jsonl:1: not a JSON object\n.*:8: version 2/,
    );
    const strict = await command(policies(OLD), "--log", broken, "--strict");
    assert.equal(strict.code, 2);
    assert.match(strict.errors, /broken\.jsonl:1: not a JSON object \[PURSER_REPLAY_LOG\]/);
  });

  it("makes the command exit with 2 for mistakes that the user can correct", async () => {
    await assert.rejects(replay(policies("request.metod = 1")), { code: "PURSER_CONFIG_REJECTED" });
    const absent = { log: [join(folder.path, "absent")] };
    await assert.rejects(replay(policies(OLD), absent), { code: "PURSER_REPLAY_LOG", message: /ENOENT/ });
    const typo = await command(policies(OLD), "--fail-on", "newly-denid");
    assert.equal(typo.code, 2);
    assert.match(typo.errors, /Did you mean newly-denied\?/);
  });
});
