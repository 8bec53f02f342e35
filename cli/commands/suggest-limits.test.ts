// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { logLine } from "../../test/support/log-records.ts";
import type { Suggestion } from "../../tools/suggest-limits/suggestion.ts";
import { runMain } from "../../test/support/run-main.ts";
import { keys } from "./suggest-limits.ts";

describe("purser suggest-limits", () => {
  let folder: string;
  let log: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "purser-suggest-"));
    log = join(folder, "log.jsonl");
    const lines = Array.from({ length: 60 }, (_, index) => {
      const time = new Date(Date.parse("2026-01-01T00:00:00Z") + index * 20_000).toISOString();
      return JSON.stringify(
        logLine({ request: { headers: { "x-user": "ada" } }, source: { ip: "10.0.0.1" } }, { time }),
      );
    });
    writeFileSync(log, lines.join("\n"));
  });
  after(() => rmSync(folder, { recursive: true }));

  const run = (...args: string[]) => runMain("suggest-limits", ...args);

  it("prints a report", async () => {
    const { code, out, err } = await run(
      log,
      "--key",
      'request.headers."x-user"',
      "--algorithm",
      "fixed-window",
    );
    assert.equal(code, 0, err);
    assert.match(out, /^60 requests, from 2026-01-01T00:00:00\.000Z to .*; fixed-window, window 1m\n/);
    assert.match(out, /^0\.01% of requests +3 +0% +0% +0% +0%$/m);
  });

  it("prints a report as JSON", async () => {
    const { out } = await run(log, "--json", "--share", "0%,25%", "--window", "1h");
    const { proposals, policy } = JSON.parse(out) as Suggestion;
    assert.deepEqual(
      proposals.map(({ share, of }) => `${share} ${of}`),
      ["0.25 requests", "0 requests", "0.25 keys", "0 keys"],
    );
    assert.deepEqual(policy, { window: "1h", algorithm: "sliding-window" });
  });

  it("prints a policy in shadow mode with the limit for the smallest share", async () => {
    const flags = ["--key", "ip=source.ip", "--match", "$exists(source.ip)", "--algorithm", "fixed-window"];
    const { code, out, err } = await run(log, ...flags, "--share", "50%,0%", "--write", "per-ip");
    assert.equal(code, 0, err);
    assert.equal(
      out,
      `apiVersion: purser.dev/v1
kind: QuotaPolicy
metadata:
  name: per-ip
spec:
  match: $exists(source.ip)
  key:
    ip: source.ip
  limit: 3
  window: 1m
  algorithm: fixed-window
  mode: shadow
`,
    );
    assert.match(err, /^0% of requests +3 /m);
  });

  it("refuses faulty flags, expressions, names and logs", async () => {
    const wrong: readonly (readonly [readonly string[], RegExp])[] = [
      [["--share", "1"], /It must be a percentage below 100%/],
      [["--train", "0%"], /It must be a percentage below 100%/],
      [["--train", "100%"], /It must be a percentage below 100%/],
      [["--window", "0s"], /It must be a duration of more than 0s/],
      [["--algorithm", "sliding"], /\(proposed policy\):\d+:\d+: error: .*sliding-window/s],
      [["--key", " "], /It must be an expression/],
      [["--key", "request.usr"], /\(proposed policy\):\d+:\d+: error: .*request\.usr/],
      [["--write", "A B"], /PURSER_CONFIG_REJECTED/],
      [
        ["--since", "2027-01-01T00:00:00Z"],
        /no request in .*60 outside --since and --until.*PURSER_REPLAY_EMPTY/,
      ],
      [[join(folder, "absent")], /PURSER_REPLAY_LOG/],
    ];
    for (const [args, expected] of wrong) {
      const { code, out, err } = await run(log, ...args);
      assert.deepEqual([code, out], [2, ""], args.join(" "));
      assert.match(err, expected);
    }
  });

  it("names keys by their expressions", () => {
    const expressions = [
      'request.headers."x-user"',
      "source.ip",
      "origin.ip",
      "a=$lowercase(request.host)",
      "$string(1)",
    ];
    const named = expressions.reduce(
      (map, text) => keys(text, map),
      new Map<string, string>() as ReadonlyMap<string, string>,
    );
    assert.deepEqual([...named.keys()], ["x-user", "ip", "ip-2", "a", "key"]);
  });
});
