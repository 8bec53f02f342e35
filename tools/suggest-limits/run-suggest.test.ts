// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { checkText, readConfig } from "../../cli/compose/part-config.ts";
import { createRuntime } from "../../cli/compose/runtime.ts";
import type { DecisionLogLine } from "../../core/replay/log-line.ts";
import { logLine } from "../../test/support/log-records.ts";
import { showProgress } from "../replay/progress.ts";
import { runReplay } from "../replay/run-replay.ts";
import type { ChargeLogBounds } from "./charge-log.ts";
import { policyText } from "./policy-text.ts";
import { runSuggest, type SuggestFlags } from "./run-suggest.ts";
import type { Suggestion } from "./suggestion.ts";
import { suggestionText } from "./text.ts";

const START_MS = Date.parse("2026-01-01T00:00:00Z");
const MINUTE_MS = 60_000;

const USER: SuggestFlags = {
  key: new Map([["user", 'request.headers."x-user"']]),
  window: "1m",
  algorithm: "fixed-window",
  shares: [0.05, 0.01],
  train: 0.7,
  strict: false,
};

/** A request of a user, a number of milliseconds after the start. */
const line = (afterMs: number, user: string, changes: Partial<DecisionLogLine> = {}): string => {
  const time = new Date(START_MS + afterMs).toISOString();
  return JSON.stringify(
    logLine({ request: { method: "GET", time, headers: { "x-user": user } } }, { time, ...changes }),
  );
};

/** The algorithms that free units with time; a log says of no others what they would have refused. */
const WINDOW_ALGORITHMS = ["fixed-window", "sliding-window", "sliding-log", "token-bucket"] as const;

describe("limits proposed from a log", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "purser-suggest-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  function suggest(lines: readonly string[], flags: Partial<SuggestFlags> = {}, bounds?: ChargeLogBounds) {
    const path = join(folder, "log.jsonl");
    writeFileSync(path, `${lines.join("\n")}\n`);
    return runSuggest([path], { ...USER, ...flags }, checkText, showProgress(process.stderr), bounds);
  }

  /** In each of the minutes, the user u1 makes one request, u2 two, and so on to u20. */
  function staircase(minutes: number, users = 20): string[] {
    const lines: string[] = [];
    for (let minute = 0; minute < minutes; minute++)
      for (let request = 0; request < users; request++)
        for (let user = request + 1; user <= users; user++)
          lines.push(line(minute * MINUTE_MS + request * 100 + user, `u${user}`));
    return lines;
  }

  const found = ({ proposals }: Suggestion) =>
    proposals.map(({ share, of, limit }) => `${share} ${of} ${limit}`);

  it("are the smallest that refuse at most the share", async function () {
    this.timeout(60_000);
    // Of 210 requests a minute, the limit 16 refuses 1 + 2 + 3 + 4 = 10 (4.8 %), 15 would refuse 15 (7.1 %);
    // 19 refuses 1 (0.5 %), 18 would refuse 3 (1.4 %). Of 20 keys, 19 refuses one: 5 %.
    const suggested = await suggest(staircase(45));
    assert.deepEqual(found(suggested), [
      "0.05 requests 16",
      "0.01 requests 19",
      "0.05 keys 19",
      "0.01 keys 20",
    ]);
    const [first] = suggested.proposals;
    assert.equal(first?.searched.requests, 10 / 210);
    assert.equal(first?.searched.keys, 4 / 20);
    assert.equal(first?.heldOut?.keys, 4 / 20);
    assert.deepEqual([suggested.searched.keys, suggested.heldOut.keys], [20, 20]);
    assert.ok(suggested.searched.windows >= 30);
    assert.deepEqual(
      suggested.warnings.filter((warning) => !warning.includes("of 20 keys")),
      [],
    );
  });

  it("depend on the algorithm", async () => {
    // Ten requests just before each second full minute, and ten just after: twenty within any minute across it.
    const lines: string[] = [];
    for (let pair = 0; pair < 40; pair++)
      for (const from of [-1_000, 0])
        for (let request = 0; request < 10; request++)
          lines.push(line((2 * pair + 1) * MINUTE_MS + from + request, "u"));
    const limits = await Promise.all(
      WINDOW_ALGORITHMS.map(async (algorithm) => {
        const { proposals } = await suggest(lines, { algorithm, shares: [0] });
        return [algorithm, proposals[0]?.limit] as const;
      }),
    );
    assert.deepEqual(Object.fromEntries(limits), {
      "fixed-window": 10,
      "sliding-window": 20,
      "sliding-log": 20,
      "token-bucket": 20,
    });
  });

  it("show what the held-out part would have refused, with a warning when the demand has grown", async () => {
    const calm = Array.from({ length: 80 }, (_, minute) => line(minute * MINUTE_MS, "a"));
    const busy = Array.from({ length: 100 }, (_, request) => line(90 * MINUTE_MS + request, "a"));
    const suggested = await suggest([...calm, ...busy], { shares: [0] });
    assert.deepEqual(
      suggested.proposals.map(({ limit, searched, heldOut }) => [
        limit,
        searched.requests,
        heldOut?.requests,
      ]),
      [
        [1, 0, 99 / 116],
        [1, 0, 99 / 116],
      ],
    );
    assert.match(
      suggested.warnings.join("\n"),
      /the limit 1 refuses 85\.3% of requests of the held-out part/,
    );
  });

  it("come with warnings when the log is too short", async () => {
    const { warnings } = await suggest(staircase(2, 3));
    assert.match(
      warnings[0] ?? "",
      /^the log is short: limits are searched in 0\.7 windows, and at least 30/,
    );
    assert.match(warnings[1] ?? "", /^the log has few keys: 3, and at least 20/);
    assert.match(
      warnings[2] ?? "",
      /^5% of \d+ requests is fewer than 10: the limit 3 depends on few of them$/,
    );
  });

  it("take matching and checked requests alone, and count the others", async () => {
    const lines = [
      ...staircase(3, 4),
      "{}",
      line(1, "u1", {
        decision: { checked: false, allowed: true, code: "OK", shadowDenials: [], audits: [] },
      }),
    ];
    const suggested = await suggest(lines, { match: 'request.headers."x-user" != "u4"', shares: [0] });
    assert.deepEqual(found(suggested), ["0 requests 3", "0 keys 3"]);
    assert.deepEqual([suggested.malformed.count, suggested.unchecked, suggested.requests], [1, 1, 31]);
    const text = suggestionText(suggested);
    assert.match(text, /^31 requests, from 2026-01-01T00:00:00\.001Z/);
    assert.match(
      text,
      /1 request was not checked .*\n1 line is malformed and left out:\n {2}.*log\.jsonl:31: not a line/,
    );
    assert.match(text, /^0% of requests +3 +0% +0% +0% +0%$/m);
  });

  it("count a sampled record as the requests that it represents", async () => {
    const lines = Array.from({ length: 40 }, (_, minute) => line(minute * MINUTE_MS, "a", { sampled: 0.1 }));
    assert.deepEqual(found(await suggest(lines, { shares: [0] })), ["0 requests 10", "0 keys 10"]);
  });

  it("tell of attributes that the log hides, and of failed expressions", async () => {
    const redacted = ["request.headers.x-user"];
    const lines = Array.from({ length: 40 }, (_, minute) => line(minute * MINUTE_MS, "a", { redacted }));
    const { warnings } = await suggest(lines);
    assert.ok(
      warnings.includes("in 40 requests request.headers.x-user is redacted by the log"),
      warnings.join(),
    );
    const failing = { key: new Map([["k", '$number(request.headers."x-user" & "x")']]) };
    await assert.rejects(suggest(lines, failing), { code: "PURSER_REPLAY_EMPTY" });
    const sometimes = {
      key: new Map([["k", 'request.headers."x-user" = "b" ? $number("x" & request.method) : 1']]),
    };
    const mixed = await suggest([...lines, line(1, "b")], sometimes);
    assert.match(mixed.warnings.join(), /1 request could not be evaluated: /);
  });

  it("leave the held-out shares open when nothing is held out", async () => {
    const suggested = await suggest([line(0, "a"), line(10, "a"), line(100, "b")], {
      match: 'request.headers."x-user" = "a"',
    });
    assert.ok(suggested.proposals.every(({ heldOut }) => heldOut === undefined));
    assert.match(suggestionText(suggested), /^5% of requests +2 +0% +- +0% +-$/m);
    assert.ok(suggested.warnings.includes("the held-out part has no charge: no proposal is checked"));
  });

  it("are refused for empty logs, faulty expressions, and logs beyond the bounds", async () => {
    await assert.rejects(suggest(["{}"]), { code: "PURSER_REPLAY_EMPTY" });
    await assert.rejects(suggest(["{}"], { strict: true }), { code: "PURSER_REPLAY_LOG" });
    await assert.rejects(suggest([line(0, "a")], { match: "request.usr" }), {
      code: "PURSER_CONFIG_REJECTED",
    });
    const lines = staircase(3, 3);
    await assert.rejects(suggest(lines, {}, { maxCharges: 5, maxKeys: 9 }), /has more than 5 charges/);
    await assert.rejects(
      suggest(lines, {}, { maxCharges: 99, maxKeys: 2 }),
      /has more than 2 different keys/,
    );
  });

  it("refuse the share of the held-out part that replay says", async () => {
    const records = fc.array(
      fc.record({
        afterMs: fc.nat(20_000),
        user: fc.constantFrom("a", "b", "c"),
        sampled: fc.constantFrom(1, 1, 0.5),
      }),
      { minLength: 10, maxLength: 60 },
    );
    const runtime = createRuntime({ logLevel: "warn", logFormat: "json" });
    const algorithms = fc.constantFrom(...WINDOW_ALGORITHMS);
    await fc.assert(
      fc.asyncProperty(records, algorithms, async (drawn, algorithm) => {
        const sorted = drawn.toSorted((a, b) => a.afterMs - b.afterMs);
        // A log of one moment has no first part.
        fc.pre(sorted[0]?.afterMs !== sorted.at(-1)?.afterMs);
        const lines = sorted.map(({ afterMs, user, sampled }) => line(afterMs, user, { sampled }));
        const flags = { window: "2s", algorithm, shares: [0.2] };
        const suggested = await suggest(lines, flags);
        for (const { limit, heldOut } of suggested.proposals) {
          const candidate = join(folder, "policy.yaml");
          writeFileSync(candidate, policyText("p", { ...USER, ...flags }, limit));
          const replayed = await runReplay(
            {
              log: [join(folder, "log.jsonl")],
              candidate: [candidate],
              examples: 0,
              failOn: [],
              since: Date.parse(suggested.split),
              strict: true,
            },
            runtime,
            (paths) => readConfig(paths, runtime),
            showProgress(process.stderr),
          );
          const [quota] = replayed.report.quotas;
          assert.ok(quota !== undefined);
          assert.equal(heldOut?.requests, quota.refused.estimated / quota.charged.estimated);
          assert.equal((heldOut?.keys ?? 0) * suggested.heldOut.keys, quota.refusedKeys);
        }
      }),
      { numRuns: 40 },
    );
  });
});
