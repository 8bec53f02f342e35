// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { DEFAULT_DELIVERY } from "../core/snapshot/build-handlers.ts";
import { createHttpClient } from "../plugins/sdk/http/client.ts";
import assert from "node:assert/strict";
import type { CheckReply, PolicyState } from "../api/mixer-service.ts";
import type { AttributeBag } from "../core/attributes/bag.ts";
import { compileWithJsonata } from "../core/expressions/jsonata-engine.ts";
import { mergeManifests } from "../expressions/manifest/manifest.ts";
import { isPurserError, PurserError } from "../kernel/errors.ts";
import { isPromise } from "../kernel/maybe-promise.ts";
import type { Scheduler } from "../kernel/ports.ts";
import type { HandlerDeclaration } from "../core/snapshot/snapshot.ts";
import {
  createCollectingLogger,
  createMemoryFiles,
  createSeededRandom,
  createVirtualTime,
} from "../plugins/sdk/testing/index.ts";
import {
  accessPolicy,
  adapterDeclaration,
  computed,
  expression,
  logEntry,
  metric,
  pluginDeclaration,
  quotaPolicy,
  rule,
  snapshotOf,
} from "../test/support/snapshots.ts";
import { createMixer, type MixerOptions } from "./mixer.ts";
import { LINGER_MS, SETTLE_MS } from "./runtime/connected-proxies.ts";
import { FakeDisk } from "../test/support/fake-disk.ts";
import { expositionOf } from "../test/support/exposition.ts";

function setUp(options: Partial<MixerOptions> = {}) {
  const time = createVirtualTime();
  const logger = createCollectingLogger();
  const mixer = createMixer({
    clock: time.clock,
    scheduler: time.scheduler,
    random: createSeededRandom(),
    logger,
    files: () => createMemoryFiles(),
    http: () => createHttpClient(time.clock),
    spoolFiles: () => assert.fail("no spool here"),
    buildInThread: () => assert.fail("no thread here"),
    ...options,
  });
  let id = 0;
  const check = (attributes: AttributeBag = {}, more = {}) =>
    mixer.check({ attributes, deduplicationId: `id-${++id}`, ...more });
  const scrape = async (name: string): Promise<string[]> =>
    (await expositionOf(mixer)).split("\n").filter((text) => text.startsWith(name));
  return { time, logger, mixer, check, scrape };
}

const GEO = mergeManifests([{ attributes: { "source.country": { type: "STRING" } } }]).manifest;
const OK = { status: { code: "OK", message: "" } } as const;
const now = (reply: CheckReply | Promise<CheckReply>): CheckReply => {
  assert.ok(!isPromise(reply), "the check was not synchronous");
  return reply;
};

/** A handler that logs its life cycle. */
function watched(name: string, log: string[], fields: Partial<HandlerDeclaration> = {}): HandlerDeclaration {
  return adapterDeclaration(
    name,
    () => {
      log.push(`build ${name}`);
      return { checknothing: () => OK, close: () => void log.push(`close ${name}`) };
    },
    fields,
  );
}

describe("a mixer", () => {
  it("refuses calls until it has documents, and is not ready", () => {
    const { mixer, check } = setUp();
    assert.equal(mixer.ready, false);
    assert.throws(
      check,
      (error) => isPurserError(error) && error.code === "PURSER_MIXER_UNAVAILABLE" && error.retryable,
    );
  });

  it("explains a decision on request, with the same decision and charges", async () => {
    const { mixer, check } = setUp();
    const when = compileWithJsonata('request.method = "POST" and $exists(request.headers."x-user")');
    assert.ok(when.ok);
    await mixer.apply(
      snapshotOf({
        accessPolicies: [accessPolicy("named-writers", { when: when.expression })],
        quotaPolicies: [quotaPolicy("few", { limit: 2 })],
      }),
    );
    const post = {
      request: { method: "POST", headers: { "x-user": "ann", authorization: "Bearer s3cr3t" } },
    };
    const { explanation, ...explained } = await check(post, { explain: true });
    assert.deepEqual(explained, await check(post));
    assert.equal(explanation?.decision.decidedBy?.name, "named-writers");
    assert.equal(explanation.documents[0]?.expressions[0]?.value, "true");
    const get = { request: { method: "GET", headers: {} } };
    const allowed = await check(get, { explain: true });
    assert.equal(allowed.quotas[0]?.remaining, 1);
    assert.equal(allowed.explanation?.documents[0]?.outcome, "passed");
    assert.equal((await check(get)).explanation, undefined);
    await mixer.close(0);
  });

  it("decides and charges synchronously when every store and handler is synchronous", async () => {
    const { mixer, check } = setUp();
    await mixer.apply(snapshotOf({ quotaPolicies: [quotaPolicy("q", { limit: 1 })] }));
    const first = now(check());
    assert.equal(first.version, "v1");
    assert.equal(first.quotas[0]?.granted, 1);
    const second = now(check());
    assert.equal(second.quotas[0]?.granted, 0);
    assert.equal(second.decision.status.code, "OK");
  });

  it("charges nothing for a dry run, and once for a repeated call", async () => {
    const { mixer, check } = setUp();
    await mixer.apply(snapshotOf({ quotaPolicies: [quotaPolicy("q", { limit: 2 })] }));
    assert.deepEqual(now(check({}, { withoutQuotas: true })).quotas, []);
    const repeat = { attributes: {}, deduplicationId: "same" };
    now(mixer.check(repeat));
    assert.equal(now(mixer.check(repeat)).quotas[0]?.remaining, 1);
    assert.equal(now(check()).quotas[0]?.granted, 1);
  });

  it("charges a repeated call once, even after the documents were edited", async () => {
    const { mixer } = setUp();
    await mixer.apply(snapshotOf({ quotaPolicies: [quotaPolicy("q", { limit: 9 })] }));
    const check = { attributes: {}, deduplicationId: "check" };
    assert.equal(now(mixer.check(check)).quotas[0]?.remaining, 8);
    const charge = { policy: "q", cell: "q{}", limit: 9, leaseMs: 0, amount: 2, bestEffort: false };
    const ask = { version: "v1", deduplicationId: "allocate", charges: [charge] };
    await mixer.allocate(ask);
    const edited = snapshotOf({
      version: "v2",
      quotaPolicies: [
        quotaPolicy("q", { limit: 9, mode: "enforce" }),
        quotaPolicy("other", { limit: 0, mode: "shadow" }),
      ],
    });
    await mixer.apply(edited);
    now(mixer.check(check));
    await mixer.allocate(ask);
    assert.equal(now(mixer.check({ ...check, deduplicationId: "look" })).quotas[0]?.remaining, 5);
  });

  describe("applying a snapshot", () => {
    it("reuses handlers of the same signature, builds new ones, and closes removed ones", async () => {
      const log: string[] = [];
      const { mixer } = setUp();
      await mixer.apply(snapshotOf({ handlers: [watched("a", log), watched("b", log), watched("c", log)] }));
      const applied = await mixer.apply(
        snapshotOf({ version: "v2", handlers: [watched("a", log), watched("b", log, { signature: "b2" })] }),
      );
      assert.deepEqual(applied, {
        ok: true,
        value: { version: "v2", built: ["b"], reused: ["a"] },
        warnings: [],
      });
      assert.deepEqual(log, ["build a", "build b", "build c", "build b", "close b", "close c"]);
    });

    it("keeps the snapshot that a request began with until the request is over", async () => {
      const log: string[] = [];
      let answer = (): void => {};
      const slow = adapterDeclaration("slow", () => ({
        checknothing: () => new Promise((resolve) => (answer = () => resolve(OK))),
        close: () => void log.push("closed"),
      }));
      const { mixer, check, time } = setUp();
      await mixer.apply(snapshotOf({ handlers: [slow], rules: [rule("r", "slow")] }));
      const pending = check();
      await mixer.apply(snapshotOf({ version: "v2" }));
      assert.deepEqual(log, []);
      assert.equal(now(check()).version, "v2");
      answer();
      assert.equal((await pending).version, "v1");
      await time.advanceAndSettle(0);
      assert.deepEqual(log, ["closed"]);
    });

    it("closes the handlers of a report that never ends at the deadline", async () => {
      const log: string[] = [];
      const { mixer, time } = setUp();
      const stuck = pluginDeclaration(
        "stuck",
        () => ({
          apply: (hooks) => hooks.reported.tapPromise("stuck", () => new Promise(() => {})),
          close: () => void log.push("closed"),
        }),
        {
          delivery: {
            ...DEFAULT_DELIVERY,
            batchSize: 1,
            lingerMs: 1,
            queueSize: 1,
            attempts: 1,
            timeoutMs: 60_000,
          },
        },
      );
      await mixer.apply(snapshotOf({ handlers: [stuck] }));
      void mixer.report({ bags: [{}] });
      await mixer.apply(snapshotOf({ version: "v2" }));
      await time.advanceAndSettle(9_999);
      assert.deepEqual(log, []);
      await time.advanceAndSettle(1);
      assert.deepEqual(log, ["closed"]);
    });

    it("refuses the whole snapshot when a handler cannot be built, reports all failures, and keeps the old one", async () => {
      const log: string[] = [];
      const { mixer, check } = setUp();
      await mixer.apply(
        snapshotOf({ accessPolicies: [accessPolicy("deny")], handlers: [watched("a", log)] }),
      );
      const fails = (name: string) =>
        adapterDeclaration(name, () => {
          throw new Error(`no ${name}`);
        });
      const outcome = await mixer.apply(
        snapshotOf({
          version: "v2",
          handlers: [watched("a", log), watched("b", log), fails("x"), fails("y")],
        }),
      );
      assert.ok(!outcome.ok);
      assert.deepEqual(
        outcome.diagnostics.map(({ code, message }) => [code, message]),
        [
          ["PURSER_HANDLER_BUILD", "handler x could not be built: no x"],
          ["PURSER_HANDLER_BUILD", "handler y could not be built: no y"],
        ],
      );
      assert.deepEqual(log, ["build a", "build b", "close b"]);
      assert.equal(now(check()).version, "v1");
      assert.equal((await mixer.status()).rejection?.diagnostics.length, 2);
      await mixer.apply(snapshotOf({ version: "v3" }));
      assert.equal((await mixer.status()).rejection, undefined);
    });

    it("gives a reused plugin fresh hooks, and releases the old ones", async () => {
      let applied = 0;
      const plugin = () =>
        pluginDeclaration("p", () => ({
          apply(hooks) {
            const times = ++applied;
            hooks.check
              .for("checknothing")
              .tap("p", () => ({ status: { code: "NOT_FOUND", message: `${times}` } }));
          },
          close() {},
        }));
      const { mixer, check } = setUp();
      for (const version of ["v1", "v2"]) {
        await mixer.apply(snapshotOf({ version, handlers: [plugin()], rules: [rule("r", "p")] }));
      }
      assert.equal(now(check()).decision.status.message, "2");
    });
  });

  describe("with a misbehaving handler", () => {
    it("names a handler that hangs, aborts its signal, and lets the rule decide", async () => {
      let signal: { readonly aborted: boolean } | undefined;
      const hanging = adapterDeclaration("hanging", {
        checknothing: (_, call) => {
          signal = call.signal;
          return new Promise(() => {});
        },
      });
      const { mixer, check, time } = setUp();
      await mixer.apply(snapshotOf({ handlers: [hanging], rules: [rule("r", "hanging")] }));
      const pending = check();
      await time.advanceAndSettle(500);
      const { decision } = await pending;
      assert.deepEqual(decision.reason, {
        kind: "error",
        code: "PURSER_HANDLER_TIMEOUT",
        detail: "handler hanging did not answer within 500 ms",
      });
      assert.equal(signal?.aborted, true);
    });

    it("names a handler that throws, synchronously or later", async () => {
      for (const checknothing of [
        () => {
          throw new Error("bug");
        },
        () => Promise.reject(new Error("bug")),
      ]) {
        const { mixer, check } = setUp();
        await mixer.apply(
          snapshotOf({ handlers: [adapterDeclaration("h", { checknothing })], rules: [rule("r", "h")] }),
        );
        const { decision } = await check();
        assert.equal(decision.reason?.kind === "error" && decision.reason.detail, "handler h failed: bug");
      }
    });

    it("names a handler that leaves timers behind and cancels them, and logs a throwing timer", async () => {
      let scheduler: Scheduler | undefined;
      let ran = 0;
      const leaking = adapterDeclaration("leaking", (context) => {
        ({ scheduler } = context);
        context.scheduler.every(1_000, () => ran++);
        context.scheduler.after(10, () => {
          throw new Error("bug");
        });
        return { close() {} };
      });
      const { mixer, logger, scrape, time } = setUp();
      await mixer.apply(snapshotOf({ handlers: [leaking] }));
      await time.advanceAndSettle(1_000);
      await mixer.apply(snapshotOf({ version: "v2" }));
      await time.advanceAndSettle(5_000);
      assert.equal(ran, 1);
      assert.deepEqual(
        logger.lines
          .filter(({ level }) => level !== "debug")
          .map(({ message, fields }) => [fields["handler"], message]),
        [
          ["leaking", "the handler threw where nobody awaits it, such as in a timer"],
          ["leaking", "a handler left work scheduled when it was closed"],
        ],
      );
      assert.deepEqual(await scrape("purser_mixer_handler_leaks_total{"), [
        'purser_mixer_handler_leaks_total{handler="leaking"} 1',
      ]);
      scheduler?.after(1, () => ran++);
      await time.advanceAndSettle(10);
      assert.equal(ran, 1);
    });

    it("keeps running when a handler never closes", async () => {
      const stubborn = adapterDeclaration("stubborn", { close: () => new Promise(() => {}) });
      const { mixer, time } = setUp();
      await mixer.apply(snapshotOf({ handlers: [stubborn] }));
      const closed = mixer.close(1_000);
      await time.advanceAndSettle(1_000);
      await closed;
      assert.equal(time.scheduled, 0);
    });
  });

  describe("with attributes of a plugin", () => {
    it("decides by these attributes", async () => {
      const plugin = pluginDeclaration("geo", () => ({
        apply: (hooks) => hooks.attributes.tap("geo", () => ({ "source.country": "NL" })),
        close() {},
      }));
      const when = expression((bag) => (bag["source"] as { country?: string } | undefined)?.country === "NL");
      const { mixer, check } = setUp();
      await mixer.apply(
        snapshotOf({ attributes: GEO, handlers: [plugin], accessPolicies: [accessPolicy("a", { when })] }),
      );
      assert.equal(now(check()).decision.decidedBy?.name, "a");
    });

    it("leaves out, counts and logs once what is not declared or has another type", async () => {
      let calls = 0;
      const plugin = pluginDeclaration("geo", () => ({
        apply: (hooks) =>
          hooks.attributes.tap("geo", () => ({ "source.country": 31, [`source.made-up-${++calls}`]: "NL" })),
        close() {},
      }));
      const when = compileWithJsonata("$exists(source.country)");
      assert.ok(when.ok);
      const { mixer, check, logger, scrape } = setUp();
      const accessPolicies = [accessPolicy("a", { when: when.expression })];
      await mixer.apply(snapshotOf({ attributes: GEO, handlers: [plugin], accessPolicies }));
      for (let request = 0; request < 150; request++) assert.equal(now(check()).decision.status.code, "OK");
      assert.deepEqual(
        (await scrape("purser_mixer_attributes_refused_total")).toSorted(),
        ["type", "undeclared"].map(
          (reason) => `purser_mixer_attributes_refused_total{handler="geo",reason="${reason}"} 150`,
        ),
      );
      const lines = logger.lines.filter(({ message }) => message.startsWith("an attribute of a plugin"));
      assert.equal(lines.length, 100, "the number of logged names is bounded");
      assert.equal(lines.filter(({ fields }) => fields["attribute"] === "source.country").length, 1);
      const { explanation } = await check({}, { explain: true });
      assert.equal(explanation?.documents[0]?.expressions[0]?.value, "false");
      assert.deepEqual(explanation.refusedAttributes?.[0], {
        handler: "geo",
        name: "source.country",
        reason: "type",
        detail: "source.country is declared as STRING; got a number",
      });
    });
  });

  describe("allocating", () => {
    const charge = {
      policy: "q",
      cell: 'q{"user":"ann"}',
      limit: 10,
      leaseMs: 500,
      amount: 3,
      bestEffort: true,
    };
    const snapshot = snapshotOf({
      quotaPolicies: [quotaPolicy("q", { overrides: [{ when: expression(() => true), limit: 20 }] })],
    });
    const ask = { version: "v0", deduplicationId: "d" };

    it("grants charges under the current policies, from any version", async () => {
      const { mixer } = setUp();
      await mixer.apply(snapshot);
      const reply = await mixer.allocate({ ...ask, charges: [charge, { ...charge, limit: 20 }] });
      assert.ok(reply.kind === "granted");
      assert.deepEqual(
        reply.quotas.map(({ granted }) => granted),
        [3, 3],
      );
    });

    it("takes amounts back", async () => {
      const { mixer } = setUp();
      await mixer.apply(snapshot);
      const taken = await mixer.allocate({ ...ask, charges: [{ ...charge, amount: 10 }] });
      assert.ok(taken.kind === "granted");
      const { slot } = taken.quotas[0] as { slot: number };
      await mixer.allocate({ ...ask, deduplicationId: "e", charges: [{ ...charge, amount: -4, slot }] });
      const again = await mixer.allocate({
        ...ask,
        deduplicationId: "f",
        charges: [{ ...charge, amount: 10 }],
      });
      assert.equal(again.kind === "granted" && again.quotas[0]?.granted, 4);
    });

    it("reports charges of removed policies as stale, and makes the others of the call", async () => {
      const { mixer } = setUp();
      await mixer.apply(snapshot);
      const strangers = [
        { policy: "gone" },
        { limit: 11 },
        { cell: "other{}" },
        { cell: "q" },
        { cell: "q{}@10" },
      ];
      for (const [index, stranger] of strangers.entries()) {
        const alone = [{ ...charge, ...stranger }];
        const stale = await mixer.allocate({ ...ask, deduplicationId: `a${index}`, charges: alone });
        assert.deepEqual(stale, { kind: "stale", version: "v1" });
        const charges = [...alone, { ...charge, amount: 1 }, ...alone];
        const reply = await mixer.allocate({ ...ask, deduplicationId: `s${index}`, charges });
        assert.ok(reply.kind === "granted");
        assert.deepEqual(
          reply.quotas.map(({ granted }) => granted),
          [0, 1, 0],
        );
        assert.deepEqual(reply.stale, { version: "v1", charges: [0, 2] });
      }
      const reply = await mixer.allocate({
        ...ask,
        deduplicationId: "all",
        charges: [{ ...charge, amount: 10 }],
      });
      assert.equal(reply.kind === "granted" && reply.quotas[0]?.granted, 5);
    });

    it("takes back amounts of a limit that was edited since", async () => {
      const { mixer } = setUp();
      await mixer.apply(snapshot);
      const taken = await mixer.allocate({ ...ask, charges: [{ ...charge, amount: 10 }] });
      const slot = taken.kind === "granted" ? taken.quotas[0]?.slot : undefined;
      await mixer.apply(snapshotOf({ version: "v2", quotaPolicies: [quotaPolicy("q", { limit: 12 })] }));
      const back = { ...charge, amount: -10, slot: slot as number };
      const gone = { ...back, policy: "gone" };
      const reply = await mixer.allocate({ ...ask, deduplicationId: "back", charges: [gone, back] });
      assert.equal(reply.kind === "granted" && reply.quotas[1]?.granted, -10);
    });
  });

  describe("reporting", () => {
    it("sends instances to their handlers in batches, with the time of the response", async () => {
      const taken: unknown[] = [];
      const backend = adapterDeclaration("backend", {
        metric: (instances) =>
          void taken.push(...instances.map(({ value, timestampMs }) => [value, timestampMs])),
        logentry: (instances) => void taken.push(...instances.map(({ variables }) => ({ ...variables }))),
      });
      const { mixer, time } = setUp();
      await mixer.apply(
        snapshotOf({
          handlers: [backend],
          metrics: [metric("m", { value: computed(2) })],
          logEntries: [logEntry("l", { variables: [["a", computed("b")]] })],
        }),
      );
      await mixer.report({ bags: [{ response: { time: "2026-01-02T00:00:00Z" } }, {}] });
      assert.deepEqual(taken, []);
      await time.advanceAndSettle(1_000);
      assert.deepEqual(taken, [[2, Date.UTC(2026, 0, 2)], [2, Date.UTC(2026, 0, 1)], { a: "b" }, { a: "b" }]);
    });

    it("calls plugins that watch, and survives a plugin that throws", async () => {
      const seen: unknown[] = [];
      const watching = pluginDeclaration("watching", () => ({
        apply: (hooks) => hooks.reported.tap("w", (bag) => void seen.push(bag)),
        close() {},
      }));
      const throwing = pluginDeclaration("throwing", () => ({
        apply: (hooks) =>
          hooks.reported.tap("t", () => {
            throw new Error("bug");
          }),
        close() {},
      }));
      const { mixer, scrape } = setUp();
      await mixer.apply(snapshotOf({ handlers: [throwing, watching] }));
      await mixer.report({ bags: [{ a: 1 }] });
      assert.deepEqual(seen, [{ a: 1 }]);
      assert.equal((await scrape("purser_mixer_evaluation_errors_total{")).length, 1);
    });

    describe("counts each request's refusal, shadow denials and audits once", () => {
      const documents = {
        accessPolicies: [
          accessPolicy("d", { when: expression((bag) => bag["deny"] === true) }),
          accessPolicy("s", { mode: "shadow" }),
          accessPolicy("a", { action: "AUDIT" }),
        ],
        quotaPolicies: [quotaPolicy("q", { mode: "shadow", limit: 0 })],
      };
      const counts = async (scrape: (name: string) => Promise<string[]>) =>
        (await scrape("purser_policy_")).map((text) => text.replace(/^purser_policy_(.*)_total/, "$1"));

      it("at the check, when the mixer decided and charged it all", async () => {
        const { mixer, check, scrape } = setUp();
        await mixer.apply(snapshotOf(documents));
        await check();
        await check({ deny: true });
        const check_ = { cache_hit: false, shadow_denials: ["AccessPolicy/s"], policy: "AccessPolicy/d" };
        await mixer.report({ bags: [{ check: check_, quota: { cache_hit: false } }] });
        assert.deepEqual(await counts(scrape), [
          'denials{kind="AccessPolicy",policy="d"} 1',
          'shadow_denials{kind="AccessPolicy",policy="s"} 1',
          'shadow_denials{kind="QuotaPolicy",policy="q"} 1',
          'audits{kind="AccessPolicy",policy="a"} 2',
        ]);
      });

      it("at the report, when the proxy had the decision in its cache", async () => {
        const { mixer, scrape } = setUp();
        await mixer.apply(snapshotOf(documents));
        const said = {
          policy: "AccessPolicy/d",
          shadow_denials: ["AccessPolicy/s", "QuotaPolicy/q", "AccessPolicy/gone"],
          audits: ["AccessPolicy/a"],
        };
        await mixer.report({ bags: [{ check: { ...said, cache_hit: true } }] });
        assert.deepEqual(await counts(scrape), [
          'denials{kind="AccessPolicy",policy="d"} 1',
          'shadow_denials{kind="AccessPolicy",policy="s"} 1',
          'shadow_denials{kind="QuotaPolicy",policy="q"} 1',
          'audits{kind="AccessPolicy",policy="a"} 1',
        ]);
      });

      it("at both, each its own part, when the proxy charged its leases for a new decision", async () => {
        const { mixer, check, scrape } = setUp();
        await mixer.apply(snapshotOf(documents));
        await check({}, { withoutQuotas: true });
        const said = { shadow_denials: ["AccessPolicy/s", "QuotaPolicy/q"], audits: ["AccessPolicy/a"] };
        await mixer.report({ bags: [{ check: { ...said, cache_hit: false }, quota: { cache_hit: true } }] });
        assert.deepEqual(await counts(scrape), [
          'shadow_denials{kind="AccessPolicy",policy="s"} 1',
          'shadow_denials{kind="QuotaPolicy",policy="q"} 1',
          'audits{kind="AccessPolicy",policy="a"} 1',
        ]);
      });
    });
  });

  describe("beyond a limit", () => {
    const beyond = [
      { kind: "queue", atMostMs: 500, length: 9 },
      { kind: "draw", policy: "credit" },
      { kind: "degrade", headers: [{ name: "x-tier", value: "economy" }] },
    ] as const;
    const documents = {
      quotaPolicies: [
        quotaPolicy("q", { limit: 1, beyond }),
        quotaPolicy("credit", { limit: 1, spec: { match: false, limit: 1, window: "60s" } }),
        quotaPolicy("wide", { limit: 100 }),
      ],
    };
    const counted = async (scrape: (name: string) => Promise<string[]>) => [
      ...(await scrape("purser_mixer_quota_beyond_total")),
      ...(await scrape("purser_policy_denials_total")),
    ];

    it("sends the steps with the charge, and leaves them to the proxy", async () => {
      const { mixer, check, scrape } = setUp();
      await mixer.apply(snapshotOf(documents));
      now(check());
      const { decision, quotas } = now(check());
      assert.deepEqual(
        decision.charges[0]?.beyond?.map((step) => (step.kind === "draw" ? step.charge.cell : step.kind)),
        ["queue", "credit{}", "degrade"],
      );
      assert.deepEqual(
        decision.charges.map(({ policy }) => policy),
        ["q", "wide"],
      );
      assert.equal(quotas[0]?.granted, 0);
      // Whether the request was refused is told by its report.
      assert.deepEqual(await counted(scrape), []);
      const check_ = { cache_hit: false, policy: "QuotaPolicy/q" };
      const texts = ["q: timed out", "gone: queued", "q: nonsense"];
      await mixer.report({ bags: [{ check: check_, quota: { cache_hit: false, beyond: texts } }] });
      await mixer.report({
        bags: [{ check: { cache_hit: true }, quota: { beyond: ["q: drawn from credit"] } }],
      });
      assert.deepEqual(await counted(scrape), [
        'purser_mixer_quota_beyond_total{policy="q",effect="timed out"} 1',
        'purser_mixer_quota_beyond_total{policy="q",effect="drawn"} 1',
        'purser_policy_denials_total{kind="QuotaPolicy",policy="q"} 1',
      ]);
    });

    it("draws and degrades itself for a caller that cannot, and puts back what the first try took", async () => {
      const { mixer, check, scrape } = setUp();
      await mixer.apply(snapshotOf(documents));
      now(check({}, { applyBeyond: true }));
      const drawn = now(check({}, { applyBeyond: true }));
      const amounts = ({ decision, quotas }: CheckReply) =>
        decision.charges.map(({ policy, amount }, index) => [policy, amount, quotas[index]?.granted]);
      assert.deepEqual(amounts(drawn), [
        ["q", 0, 0],
        ["credit", 1, 1],
        ["wide", 1, 1],
      ]);
      assert.equal(drawn.decision.validDurationMs, 0);
      const degraded = now(check({}, { applyBeyond: true }));
      assert.deepEqual(amounts(degraded), [
        ["q", 0, 0],
        ["wide", 1, 1],
      ]);
      assert.deepEqual(degraded.decision.requestHeaders, [
        { operation: "set", name: "x-tier", value: "economy" },
      ]);
      assert.equal(degraded.quotas[1]?.remaining, 97);
      assert.deepEqual(await counted(scrape), [
        'purser_mixer_quota_beyond_total{policy="q",effect="drawn"} 1',
        'purser_mixer_quota_beyond_total{policy="q",effect="degraded"} 1',
      ]);
    });

    it("counts a denial of a caller that no step helps", async () => {
      const { mixer, check, scrape } = setUp();
      const only = [{ kind: "queue", atMostMs: 500, length: 9 }] as const;
      await mixer.apply(snapshotOf({ quotaPolicies: [quotaPolicy("q", { limit: 0, beyond: only })] }));
      const { quotas, explanation } = await check({}, { applyBeyond: true, explain: true });
      assert.equal(quotas[0]?.granted, 0);
      assert.equal(explanation?.decision.charges.length, 1);
      assert.deepEqual(await counted(scrape), [
        'purser_policy_denials_total{kind="QuotaPolicy",policy="q"} 1',
      ]);
    });
  });

  describe("watching", () => {
    it("delivers the state at once and after each change, with every enforced document in order", async () => {
      const { mixer } = setUp({ nodeCount: 2 });
      const states: PolicyState[] = [];
      const stop = mixer.watch({ id: "p1" }, (state) => void states.push(state));
      assert.equal(states.length, 0);
      const documents = {
        accessPolicies: [
          accessPolicy("a", { spec: { action: "DENY", onError: "allow" }, onError: "allow" }),
          accessPolicy("shadow", { mode: "shadow" }),
          accessPolicy("audit", { action: "AUDIT" }),
        ],
        quotaPolicies: [quotaPolicy("q", { key: [["n", computed(1)]] })],
        rules: [rule("r", "h"), rule("telemetry", "h", { variety: "report" })],
        handlers: [adapterDeclaration("h", {})],
      };
      await mixer.apply(snapshotOf(documents));
      assert.deepEqual(
        states[0]?.policies.map(({ kind, name, spec }) => [kind, name, spec]),
        [
          ["AccessPolicy", "a", { action: "DENY", onError: "allow" }],
          ["AccessPolicy", "audit", { action: "AUDIT" }],
          ["QuotaPolicy", "q", { limit: 10, window: "60s" }],
          [
            "Rule",
            "r",
            {
              instances: [{ name: "nothing", template: "checknothing" }],
              actions: [{ handler: "h", instances: ["nothing"] }],
            },
          ],
        ],
      );
      assert.equal(states[0]?.proxies, 2);
      stop();
      await mixer.apply(snapshotOf({ version: "v2" }));
      assert.equal(states.length, 1);
    });

    it("counts proxies by id, and announces new ones soon and lost ones after a while", async () => {
      const { mixer, time } = setUp();
      await mixer.apply(snapshotOf());
      const counts: number[] = [];
      mixer.watch({ id: "one" }, ({ proxies }) => counts.push(proxies));
      const stops = [mixer.watch({ id: "two" }, () => {}), mixer.watch({ id: "two" }, () => {})];
      await time.advanceAndSettle(SETTLE_MS);
      assert.deepEqual(counts, [1, 2]);
      for (const stop of stops) stop();
      await time.advanceAndSettle(LINGER_MS - 1);
      mixer.watch({ id: "two" }, () => {})();
      await time.advanceAndSettle(LINGER_MS - 1);
      assert.deepEqual(counts, [1, 2]);
      await time.advanceAndSettle(1 + SETTLE_MS);
      assert.deepEqual(counts, [1, 2, 1]);
    });

    it("survives a listener that throws", async () => {
      const { mixer } = setUp();
      let told = 0;
      await mixer.apply(snapshotOf());
      let first = true;
      mixer.watch({ id: "a" }, () => {
        if (!first) throw new Error("bug");
        first = false;
      });
      mixer.watch({ id: "b" }, () => told++);
      await mixer.apply(snapshotOf({ version: "v2" }));
      assert.equal(told, 2);
    });
  });

  describe("closing", () => {
    it("lets calls under way end, delivers queued telemetry, closes each handler once, and refuses new calls", async () => {
      const log: string[] = [];
      let answer = (): void => {};
      const backend = adapterDeclaration("backend", {
        checknothing: () => new Promise((resolve) => (answer = () => resolve(OK))),
        metric: (instances) => void log.push(`metrics ${instances.length}`),
        close: () => void log.push("close"),
      });
      const { mixer, check, time } = setUp();
      await mixer.apply(
        snapshotOf({ handlers: [backend], metrics: [metric("m")], rules: [rule("r", "backend")] }),
      );
      await mixer.report({ bags: [{}] });
      const pending = check();
      const closed = mixer.close(2_000);
      assert.throws(check, (error) => isPurserError(error) && error.code === "PURSER_DRAINING");
      await time.advanceAndSettle(100);
      assert.deepEqual(log, []);
      answer();
      assert.equal((await pending).decision.status.code, "OK");
      await time.advanceAndSettle(100);
      await closed;
      await mixer.close(2_000);
      assert.deepEqual(log, ["metrics 1", "close"]);
      assert.equal(time.scheduled, 0);
    });
  });

  describe("observability", () => {
    it("exports its own metrics and its handlers', and leaves out a handler that fails", async () => {
      const { mixer, check, scrape } = setUp();
      await mixer.apply(
        snapshotOf({
          accessPolicies: [accessPolicy("deny", { when: expression((bag) => bag["deny"] === true) })],
          quotaPolicies: [quotaPolicy("q", { limit: 1 })],
          handlers: [
            adapterDeclaration("good", { exposition: () => "good_total 1" }),
            adapterDeclaration("bad", { exposition: () => Promise.reject(new Error("no")) }),
          ],
        }),
      );
      await check();
      await check();
      await check({ deny: true });
      assert.deepEqual(await scrape("purser_mixer_checks_total{"), [
        'purser_mixer_checks_total{code="OK",reason="none"} 1',
        'purser_mixer_checks_total{code="RESOURCE_EXHAUSTED",reason="quota"} 1',
        'purser_mixer_checks_total{code="PERMISSION_DENIED",reason="policy"} 1',
      ]);
      assert.deepEqual(await scrape("purser_mixer_quota_outcomes_total{"), [
        'purser_mixer_quota_outcomes_total{policy="q",outcome="granted"} 1',
        'purser_mixer_quota_outcomes_total{policy="q",outcome="refused"} 1',
      ]);
      assert.deepEqual(await scrape("good_total"), ["good_total 1"]);
    });

    it("exports a series of two handlers once, counts the samples left out, and logs it once", async () => {
      const { mixer, scrape, logger } = setUp();
      const text = (value: number) => `# TYPE hits counter\nhits ${value}\nhits{of="${value}"} 1`;
      await mixer.apply(
        snapshotOf({
          handlers: [
            adapterDeclaration("first", { exposition: () => text(1) }),
            adapterDeclaration("second", { exposition: () => text(2) }),
          ],
        }),
      );
      assert.deepEqual(await scrape("hits"), ["hits 1", 'hits{of="1"} 1', 'hits{of="2"} 1']);
      const count = 'purser_mixer_exposition_left_out_total{handler="second"} 1';
      assert.deepEqual(await scrape("purser_mixer_exposition_left_out_total{"), [count]);
      assert.deepEqual(
        logger.lines.filter(({ level }) => level === "warn").map(({ fields }) => fields),
        [{ handler: "second", families: ["hits"] }],
      );
    });

    it("shows a faulty spool while a handler in force has it", async () => {
      const full = new FakeDisk(createSeededRandom());
      const disks = [full, new FakeDisk(createSeededRandom())];
      const { mixer, time, scrape } = setUp({ spoolFiles: () => (disks.shift() as FakeDisk).connect() });
      const spooled = (signature: string): HandlerDeclaration =>
        adapterDeclaration(
          "log",
          { metric: () => {}, close: () => {} },
          {
            signature,
            delivery: {
              ...DEFAULT_DELIVERY,
              class: "at-least-once",
              spool: { directory: signature, maxBytes: 1_000_000, fsync: "always", onDiskFailure: "memory" },
            },
          },
        );
      const metrics = [metric("m", { handlers: ["log"] })];
      const faulty = async (): Promise<string[]> => await scrape("purser_mixer_delivery_spool_faulty");
      await mixer.apply(snapshotOf({ handlers: [spooled("a")], metrics }));
      await time.advanceAndSettle(10);
      const labels = 'purser_mixer_delivery_spool_faulty{handler="log",template="metric"}';
      assert.deepEqual(await faulty(), [`${labels} 0`]);
      full.full = true;
      void mixer.report({ bags: [{}] });
      await time.advanceAndSettle(10);
      assert.deepEqual(await faulty(), [`${labels} 1`]);
      await mixer.apply(snapshotOf({ version: "v2", handlers: [spooled("b")], metrics }));
      await time.advanceAndSettle(20_000);
      assert.deepEqual(await faulty(), [`${labels} 0`]);
      await mixer.close(0);
    });

    it("shows in a scrape all requests before it, including queued metrics", async () => {
      let sum = 0;
      const backend = adapterDeclaration("backend", {
        metric: (instances) => void (sum += instances.length),
        exposition: () => `sum ${sum}`,
      });
      const { mixer, scrape } = setUp();
      await mixer.apply(snapshotOf({ handlers: [backend], metrics: [metric("m")] }));
      await mixer.report({ bags: [{}, {}] });
      assert.deepEqual(await scrape("sum"), ["sum 2"]);
    });

    it("shows what is loaded and the health of its handlers", async () => {
      const { mixer, time } = setUp();
      await mixer.apply(
        snapshotOf({
          handlers: [
            adapterDeclaration("well", { healthy: () => true }),
            adapterDeclaration("ill", { healthy: () => Promise.reject(new Error("down")) }),
            adapterDeclaration("hung", { healthy: () => new Promise(() => {}) }),
            adapterDeclaration("silent", {}),
          ],
        }),
      );
      const pending = mixer.status();
      await time.advanceAndSettle(1_000);
      const { version, handlers, ready } = await pending;
      assert.equal(version, "v1");
      assert.equal(ready, true);
      assert.deepEqual(
        handlers.map(({ name, health }) => [name, health]),
        [
          ["well", "ok"],
          ["ill", "failing"],
          ["hung", "failing"],
          ["silent", "unknown"],
        ],
      );
    });
  });

  it("counts the quota that refuses as the deciding one, not those given back because of it", async () => {
    const { mixer, check, scrape } = setUp();
    await mixer.apply(
      snapshotOf({ quotaPolicies: [quotaPolicy("wide"), quotaPolicy("narrow", { limit: 0 })] }),
    );
    await check();
    assert.deepEqual(await scrape("purser_policy_denials_total{"), [
      'purser_policy_denials_total{kind="QuotaPolicy",policy="narrow"} 1',
    ]);
    assert.deepEqual(await scrape("purser_mixer_quota_outcomes_total{"), [
      'purser_mixer_quota_outcomes_total{policy="wide",outcome="given-back"} 1',
      'purser_mixer_quota_outcomes_total{policy="narrow",outcome="refused"} 1',
    ]);
  });

  it("logs a document's failure once and counts it every time", async () => {
    const { mixer, check, logger, scrape } = setUp();
    const when = expression(() => "no boolean");
    await mixer.apply(snapshotOf({ accessPolicies: [accessPolicy("a", { when, onError: "allow" })] }));
    for (let request = 0; request < 3; request++) await check();
    assert.deepEqual(
      logger.lines.filter(({ level }) => level === "warn").map(({ fields }) => fields["document"]),
      ["AccessPolicy/a"],
    );
    assert.match((await scrape("purser_mixer_evaluation_errors_total{"))[0] ?? "", / 3$/);
  });

  it("falls back to onStoreFailure when a store handler does not answer in time", async () => {
    const store = adapterDeclaration("redis", { quota: () => new Promise(() => {}) });
    const { mixer, check, time } = setUp();
    const policy = quotaPolicy("q", { store: "redis", onStoreFailure: "deny" });
    await mixer.apply(snapshotOf({ handlers: [store], quotaPolicies: [policy] }));
    const pending = check();
    await time.advanceAndSettle(5_000);
    const [outcome] = (await pending).quotas;
    assert.equal(outcome?.granted, 0);
    assert.deepEqual(outcome?.failure, { code: "PURSER_STORE_UNAVAILABLE", applied: "deny" });
  });

  it("retries telemetry that a backend refuses temporarily", async () => {
    let tries = 0;
    const backend = adapterDeclaration("backend", {
      metric: () => {
        tries += 1;
        if (tries === 1) throw new PurserError("PURSER_HANDLER_FAILED", "later", { retryable: true });
      },
    });
    const { mixer, time, scrape } = setUp();
    await mixer.apply(snapshotOf({ handlers: [backend], metrics: [metric("m")] }));
    await mixer.report({ bags: [{}] });
    await time.advanceAndSettle(3_000);
    assert.equal(tries, 2);
    assert.deepEqual(await scrape("purser_mixer_delivery_retries_total{"), [
      'purser_mixer_delivery_retries_total{handler="backend",template="metric"} 1',
    ]);
  });
});
