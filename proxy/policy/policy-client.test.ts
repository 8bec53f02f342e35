// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import fc from "fast-check";
import type { AttributeBag } from "../../core/attributes/bag.ts";
import type { PolicyDocument } from "../../core/snapshot/policy-document.ts";
import type { QuotaPolicySpec } from "../../core/documents/kinds/quota-policy.ts";
import type { CheckResult } from "./check-result.ts";
import { charge, createStage, denial, quota, ToyMixer } from "./toy-mixer.test.ts";
import { compileWithJsonata } from "../../core/expressions/jsonata-engine.ts";
import {
  createCollectingLogger,
  createSeededRandom,
  createVirtualTime,
} from "../../plugins/sdk/testing/index.ts";
import { createPolicyClient } from "./policy-client.ts";

const bag = (request: Record<string, string>): AttributeBag => ({ request });
const ALICE = bag({ user: "alice", method: "GET" });
const at = (attributes: AttributeBag, name: string) =>
  (attributes["request"] as Record<string, unknown>)[name];

/** Asserts that a verdict is synchronous: a promise has no outcome, and fails the test. */
const atOnce = (verdict: unknown): CheckResult => {
  assert.ok(!(verdict instanceof Promise), "the verdict is at hand");
  return verdict as CheckResult;
};

describe("a policy client's cache", () => {
  it("answers synchronously, without the mixer, for requests that agree in what the decision read", () => {
    const { mixer, client } = createStage();
    mixer.decide = (view) => (at(view, "user") === "mallory" ? denial() : {});
    assert.equal(atOnce(client.check(bag({ user: "bob", method: "GET" }))).checkCacheHit, false);
    const again = atOnce(client.check(bag({ user: "bob", method: "PUT" })));
    assert.deepEqual([again.outcome.kind, again.checkCacheHit, mixer.checks.length], ["allow", true, 1]);
  });

  it("is bypassed when a request asks for an explanation", () => {
    const { mixer, client } = createStage();
    void client.check(ALICE);
    const verdict = atOnce(client.check(ALICE, { explain: true }));
    assert.equal(verdict.checkCacheHit, false);
    assert.deepEqual(
      mixer.checks.map(({ explain }) => explain),
      [undefined, true],
    );
    assert.equal(atOnce(client.check(ALICE)).checkCacheHit, true);
  });

  it("keeps denials as well", () => {
    const { mixer, client } = createStage();
    mixer.decide = (view) => (at(view, "user") === "alice" ? denial("no-alice") : {});
    for (const expectedHit of [false, true]) {
      const { outcome, checkCacheHit } = atOnce(client.check(ALICE));
      assert.equal(outcome.kind === "deny" && outcome.decidedBy.name, "no-alice");
      assert.equal(checkCacheHit, expectedHit);
    }
  });

  it("forgets a decision after its validity or its last use", () => {
    const { time, mixer, client } = createStage();
    mixer.decide = () => ({ validDurationMs: 500, validUseCount: 2 });
    for (let count = 0; count < 4; count++) void client.check(ALICE);
    assert.equal(mixer.checks.length, 2, "the second is asked after two uses");
    time.advance(499);
    void client.check(ALICE);
    assert.equal(mixer.checks.length, 2);
    time.advance(1);
    void client.check(ALICE);
    assert.equal(mixer.checks.length, 3);
  });

  it("never keeps a decision that may not be reused", () => {
    const { mixer, client } = createStage();
    mixer.decide = () => ({ validDurationMs: 0 });
    void client.check(ALICE);
    void client.check(ALICE);
    assert.equal(mixer.checks.length, 2);
    assert.equal(client.stats()["check_cache_unfit"], 2);
  });

  it("is flushed when the policies change", () => {
    const { mixer, client } = createStage();
    void client.check(ALICE);
    mixer.decide = () => denial();
    mixer.announce({ version: "v2" });
    assert.equal(atOnce(client.check(ALICE)).outcome.kind, "deny");
  });

  it("does not keep a decision of a check that began before the policies changed", async () => {
    const { time, mixer, client } = createStage();
    mixer.delayMs = 10;
    mixer.replyVersion = "v1";
    const before = client.check(ALICE);
    mixer.announce({ version: "v2" });
    await time.advanceAndSettle(10);
    assert.equal((await before).outcome.kind, "allow", "a request keeps the policies it began with");
    mixer.replyVersion = undefined;
    mixer.delayMs = 0;
    mixer.decide = () => denial();
    assert.equal(atOnce(client.check(ALICE)).outcome.kind, "deny");
  });

  it("is flushed once only while two mixers with different policies alternate", () => {
    const { mixer, client } = createStage();
    mixer.decide = (view) => (at(view, "user") === "" ? denial() : {});
    for (let turn = 0; turn < 10; turn++) {
      mixer.replyVersion = turn % 2 === 0 ? "v2" : "v1";
      void client.check(bag({ user: `user-${turn}` }));
    }
    assert.equal(
      client.stats()["check_cache_flushes"],
      2,
      "at the first state, and at the first sight of v2",
    );
    assert.equal(client.stats()["check_cache_entries"], 5, "those of v1, which the watch says is in force");
  });

  it("keeps to its limits of decisions and of shapes", () => {
    const { mixer, client } = createStage({ maxDecisions: 10, maxShapes: 3 });
    mixer.decide = (view) => {
      at(view, "shape");
      at(view, `a${at(view, "shape") as string}`);
      return {};
    };
    for (let index = 0; index < 200; index++)
      void client.check(bag({ shape: String(index % 20), [`a${index % 20}`]: String(index) }));
    assert.equal(client.stats()["check_cache_entries"], 10);
  });

  it("serves what the mixer would have answered, whatever the policy reads", () => {
    const names = ["a", "b", "c"] as const;
    const value = fc.option(fc.constantFrom("", "x", "y", "x,", '"x"'), { nil: undefined });
    const request = fc.record({ a: value, b: value, c: value });
    interface Tree {
      readonly reads: string;
      readonly is: string | undefined;
      readonly yes: Tree | boolean;
      readonly no: Tree | boolean;
    }
    const { tree } = fc.letrec<{ tree: Tree | boolean }>((tie) => ({
      tree: fc.oneof(
        { maxDepth: 4 },
        fc.boolean(),
        fc.record({ reads: fc.constantFrom(...names), is: value, yes: tie("tree"), no: tie("tree") }),
      ),
    }));
    const run = (policy: Tree | boolean, view: AttributeBag): boolean =>
      typeof policy === "boolean"
        ? policy
        : run(at(view, policy.reads) === policy.is ? policy.yes : policy.no, view);
    fc.assert(
      fc.property(tree, fc.array(request, { maxLength: 40 }), (policy, requests) => {
        const { mixer, client } = createStage({ maxShapes: 4 });
        mixer.decide = (view) => (run(policy, view) ? {} : denial());
        for (const attributes of requests) {
          const present = Object.fromEntries(
            Object.entries(attributes).filter(([, text]) => text !== undefined),
          );
          const fresh = run(policy, bag(present as Record<string, string>)) ? "allow" : "deny";
          assert.equal(atOnce(client.check(bag(present as Record<string, string>))).outcome.kind, fresh);
        }
        // At most 27 different bags: a run without hits would not test the cache.
        if (requests.length === 40) assert.ok(client.stats()["check_cache_hits"] !== 0);
      }),
      { numRuns: 150 },
    );
  });
});

describe("a policy client without its mixer", () => {
  const denyWhere = (match: string): PolicyDocument => ({
    kind: "AccessPolicy",
    name: "guard",
    spec: { match, action: "DENY" },
  });
  const deny = denyWhere('request.user = "alice"');
  const rule = (name: string, fields: { match?: string; onError: "deny" | "allow" }): PolicyDocument => {
    const instances = [{ name: "nothing", template: "checknothing" }];
    const actions = [{ handler: "list", instances: ["nothing"] }];
    return { kind: "Rule", name, spec: { instances, actions, ...fields } };
  };
  const local = (fields: Partial<QuotaPolicySpec> = {}): PolicyDocument => ({
    kind: "QuotaPolicy",
    name: "per-user",
    spec: {
      key: { user: "request.user" },
      limit: 10,
      window: "60s",
      algorithm: "fixed-window",
      onStoreFailure: "local",
      ...fields,
    },
  });

  it("fails closed until the policies are known", () => {
    const time = createVirtualTime();
    const mixer = new ToyMixer(time);
    mixer.watch = () => () => {};
    const client = createPolicyClient({
      service: mixer,
      identity: { id: "edge" },
      clock: time.clock,
      scheduler: time.scheduler,
      random: createSeededRandom(),
      logger: createCollectingLogger(),
      compile: compileWithJsonata,
    });
    assert.equal(client.ready, false);
    const { outcome } = atOnce(client.check(ALICE));
    assert.equal(outcome.kind === "error" && outcome.code, "PURSER_MIXER_UNAVAILABLE");
  });

  it("applies each governing document's failure policy", async () => {
    const { mixer, client } = createStage();
    mixer.announce({ policies: [deny, rule("listed", { onError: "allow" })] });
    mixer.condition = "refuses";
    const { outcome: alice, failure: why } = await client.check(ALICE);
    assert.deepEqual(alice, {
      kind: "error",
      status: { code: "UNAVAILABLE", message: "guard could not be decided" },
      code: "PURSER_MIXER_UNAVAILABLE",
      decidedBy: { kind: "AccessPolicy", name: "guard" },
    });
    assert.deepEqual(why, { code: "PURSER_MIXER_UNAVAILABLE", applied: "deny" });
    const bob = await client.check(bag({ user: "bob" }));
    assert.equal(bob.outcome.kind, "allow");
    assert.deepEqual(bob.failure, { code: "PURSER_MIXER_UNAVAILABLE", applied: "allow" });
  });

  it("matches documents against each value of a repeated header", async () => {
    const { mixer, client } = createStage();
    const admins = denyWhere('request.headers."x-role" = "admin"');
    mixer.announce({ policies: [admins] });
    mixer.condition = "refuses";
    const repeated = (...roles: string[]): AttributeBag => ({
      request: { headers: { "x-role": roles.join(", ") }, repeated_headers: { "x-role": roles } },
    });
    assert.equal((await client.check(repeated("user", "admin"))).outcome.kind, "error");
    assert.equal((await client.check(repeated("user", "guest"))).outcome.kind, "allow");
  });

  it("applies onError when a match cannot be evaluated", async () => {
    const { mixer, client } = createStage();
    const faulty = (onError: "deny" | "allow") => rule("bad", { match: "request.user + 1 = 2", onError });
    mixer.condition = "refuses";
    mixer.announce({ policies: [faulty("allow")] });
    assert.equal((await client.check(ALICE)).outcome.kind, "allow");
    mixer.announce({ version: "v2", policies: [faulty("deny")] });
    const { outcome } = await client.check(ALICE);
    assert.equal(outcome.kind === "error" && outcome.code, "PURSER_EXPR_EVALUATION");
  });

  it("counts locally against its share of a limit, each key apart", async () => {
    const { mixer, client } = createStage();
    mixer.announce({ proxies: 3, policies: [local()] });
    mixer.condition = "refuses";
    const kinds: string[] = [];
    for (let count = 0; count < 5; count++) kinds.push((await client.check(ALICE)).outcome.kind);
    assert.deepEqual(kinds, ["allow", "allow", "allow", "limit", "limit"]);
    assert.equal((await client.check(bag({ user: "bob" }))).outcome.kind, "allow");
  });

  it("counts against the limit of the first override that is true", async () => {
    const { mixer, client } = createStage();
    const overrides = [
      { when: 'request.user = "bob"', limit: 1 },
      { when: 'request.user = "alice"', limit: 4 },
      { when: 'request.user = "alice"', limit: 9 },
    ];
    mixer.announce({ proxies: 2, policies: [local({ overrides })] });
    mixer.condition = "refuses";
    const kinds: string[] = [];
    for (let count = 0; count < 3; count++) kinds.push((await client.check(ALICE)).outcome.kind);
    assert.deepEqual(kinds, ["allow", "allow", "limit"]);
  });

  it("serves cached decisions until they expire", async () => {
    const { time, mixer, client } = createStage();
    mixer.announce({ policies: [denyWhere("true")] });
    void client.check(ALICE);
    mixer.condition = "refuses";
    assert.equal((await client.check(ALICE)).outcome.kind, "allow");
    time.advance(10_000);
    assert.equal((await client.check(ALICE)).outcome.kind, "error");
  });

  it("waits no longer than the deadline, and soon not at all", async () => {
    const { time, mixer, client } = createStage({ callTimeoutMs: 1_000, breakerFailures: 3 });
    mixer.announce({ policies: [denyWhere("true")] });
    mixer.condition = "hangs";
    const waiting = [1, 2, 3].map(async () => await client.check(ALICE));
    await time.advanceAndSettle(999);
    assert.equal(client.stats()["remote_call_timeouts"], 0);
    await time.advanceAndSettle(1);
    for (const verdict of await Promise.all(waiting)) assert.equal(verdict.outcome.kind, "error");
    atOnce(client.check(ALICE));
    assert.equal(client.stats()["remote_call_short_circuits"], 1);
  });

  it("finds the mixer again within a quarter of a second, with one trial request", async () => {
    const { time, mixer, client } = createStage();
    mixer.announce({ policies: [denyWhere("true")] });
    mixer.condition = "refuses";
    for (let count = 0; count < 10; count++) await client.check(ALICE);
    assert.equal(mixer.checks.length, 3, "then the breaker is open");
    await time.advanceAndSettle(250);
    for (let count = 0; count < 10; count++) await client.check(ALICE);
    assert.equal(mixer.checks.length, 4, "one tries whether it is back");
    mixer.condition = "up";
    await time.advanceAndSettle(250);
    assert.equal(atOnce(client.check(ALICE)).outcome.kind, "allow");
  });

  it("applies onStoreFailure when a cached decision's quota cannot be asked for", async () => {
    const expected = { allow: "allow", deny: "error", local: "allow" } as const;
    for (const [onStoreFailure, kind] of Object.entries(expected)) {
      const { mixer, client } = createStage();
      const scarce = quota({ limit: 10, onStoreFailure: onStoreFailure as "allow" });
      mixer.quotas = [scarce];
      mixer.decide = () => ({ charges: [charge(scarce)] });
      void client.check(ALICE);
      mixer.condition = "refuses";
      const { outcome, failure, checkCacheHit } = await client.check(ALICE);
      assert.equal(outcome.kind, kind);
      assert.deepEqual(failure, { code: "PURSER_MIXER_UNAVAILABLE", applied: onStoreFailure });
      assert.equal(checkCacheHit, true);
    }
  });

  it("distinguishes a store's failure from a used-up limit", async () => {
    const { mixer, client } = createStage();
    const scarce = quota({ limit: 10 });
    mixer.quotas = [scarce];
    mixer.decide = () => ({ charges: [charge(scarce)] });
    mixer.storeCondition = "down";
    for (const hit of [false, true]) {
      const { outcome, checkCacheHit } = atOnce(client.check(ALICE));
      assert.equal(checkCacheHit, hit);
      assert.equal(outcome.kind === "error" && outcome.code, "PURSER_STORE_UNAVAILABLE");
      assert.deepEqual(outcome.kind === "error" && outcome.decidedBy, {
        kind: "QuotaPolicy",
        name: "per-user",
      });
    }
  });
});

describe("a new decision about a request under way", () => {
  const recheck = async (client: ReturnType<typeof createStage>["client"], attributes: AttributeBag) =>
    await client.recheck(attributes);

  it("charges nothing, and is kept for other requests that agree in what it read", async () => {
    const { mixer, client } = createStage();
    mixer.decide = (view) => (at(view, "user") === "mallory" ? denial() : {});
    assert.equal(await recheck(client, ALICE), "allowed");
    assert.equal(await recheck(client, bag({ user: "mallory", method: "GET" })), "refused");
    assert.deepEqual(
      mixer.checks.map(({ withoutQuotas }) => withoutQuotas),
      [true, true],
    );
    assert.equal(client.recheck(ALICE), "allowed");
    assert.equal(mixer.checks.length, 2);
  });

  it("is undecided while the mixer is away, has other documents, or cannot evaluate one", async () => {
    const { mixer, client, time } = createStage();
    mixer.condition = "refuses";
    assert.equal(await recheck(client, ALICE), "undecided");
    mixer.condition = "hangs";
    const hanging = recheck(client, ALICE);
    await time.advanceAndSettle(10_000);
    assert.equal(await hanging, "undecided");
    mixer.condition = "up";
    mixer.replyVersion = "v0";
    assert.equal(await recheck(client, ALICE), "undecided");
    mixer.replyVersion = undefined;
    mixer.decide = () => ({
      status: { code: "INTERNAL", message: "x" },
      reason: { kind: "error", code: "PURSER_EXPR_EVALUATION", detail: "y" },
      validDurationMs: 0,
    });
    assert.equal(await recheck(client, ALICE), "undecided");
  });

  it("is asked for when other documents are in force, and only then", () => {
    const { mixer, client } = createStage();
    let changes = 0;
    const stop = client.watchPolicies(() => changes++);
    mixer.announce({ proxies: 2 });
    assert.equal(changes, 0);
    mixer.announce({ version: "v2" });
    assert.equal(changes, 1);
    stop();
    mixer.announce({ version: "v3" });
    assert.equal(changes, 1);
  });
});

describe("closing a policy client", () => {
  it("sends buffered reports, gives leases back, and leaves no timer behind", async () => {
    const { time, mixer, client } = createStage();
    const wide = quota({ limit: 1_000 });
    mixer.quotas = [wide];
    mixer.decide = () => ({ charges: [charge(wide)] });
    for (let count = 0; count < 50; count++) void client.check(ALICE);
    client.report(ALICE);
    assert.ok(mixer.remaining(wide) < 950, "something is held");
    await client.close(1_000);
    await client.close(1_000);
    assert.equal(mixer.remaining(wide), 950);
    assert.equal(mixer.reports.length, 1);
    assert.equal(time.scheduled, 0);
    client.report(ALICE);
    assert.equal(client.stats()["report_drops_closed"], 1);
  });

  it("meets its deadline, even when the mixer hangs", async () => {
    const { time, mixer, client } = createStage();
    client.report(ALICE);
    mixer.condition = "hangs";
    const closed = client.close(300);
    await time.advanceAndSettle(300);
    await closed;
  });
});
