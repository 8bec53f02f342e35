// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import fc from "fast-check";
import { createVirtualTime } from "../../../plugins/sdk/testing/index.ts";
import { charge } from "../../../test/support/quota-charges.ts";
import { chargeAll } from "../charge-all.ts";
import { demandOf, type NamedStore } from "../demand.ts";
import { createMemoryQuotaStore } from "../memory-store.ts";
import type { BeyondStep, QuotaCharge, QuotaOutcome, SingleCharge } from "../quota-charge.ts";
import { parseEvent, textOfEvent } from "./beyond-event.ts";
import { BeyondRun, goesBeyond } from "./beyond-run.ts";
import { chargeBeyond } from "./charge-beyond.ts";

const ECONOMY: BeyondStep = { kind: "degrade", headers: [{ name: "x-tier", value: "economy" }] };
const drawOn = (policy: string, fields: Partial<SingleCharge> = {}): BeyondStep => ({
  kind: "draw",
  charge: charge(policy, fields),
});
const queue = (atMostMs = 500, length = 10): BeyondStep => ({ kind: "queue", atMostMs, length });
const limited = (policy: string, beyond: readonly BeyondStep[], fields: Partial<QuotaCharge> = {}) =>
  charge(policy, { beyond, ...fields });

describe("the steps beyond a limit", () => {
  it("belong to enforced charges that have some", () => {
    assert.equal(goesBeyond(charge("q")), false);
    assert.equal(goesBeyond(limited("q", [ECONOMY])), true);
    assert.equal(goesBeyond(limited("q", [ECONOMY], { mode: "shadow" })), false);
  });

  it("are taken in order, and refuse with the first refusal when none helps", () => {
    const one = limited("one", [queue(500), drawOn("credit"), drawOn("bank")]);
    const run = new BeyondRun([charge("other"), one]);
    assert.deepEqual(run.next({ charge: one, retryAfterMs: 40 }, 100), {
      kind: "wait",
      charge: one,
      deadlineMs: 600,
      length: 10,
      retryAfterMs: 40,
    });
    // The request comes back to its queue with the rest of its time.
    const again = run.next({ charge: one, retryAfterMs: 70 }, 300);
    assert.equal(again.kind === "wait" && again.deadlineMs, 600);
    assert.deepEqual(run.next({ charge: one, retryAfterMs: 90 }, 600), { kind: "charge" });
    const [, credit] = run.charges as [SingleCharge, SingleCharge];
    assert.equal(credit.policy, "credit");
    assert.deepEqual(run.next({ charge: credit, retryAfterMs: 5 }, 600), { kind: "charge" });
    const [, bank] = run.charges as [SingleCharge, SingleCharge];
    const end = run.next({ charge: bank, retryAfterMs: 5 }, 600);
    assert.deepEqual(end, { kind: "refuse", refusal: { charge: one, retryAfterMs: 40 } });
    assert.deepEqual(run.events(false), [{ policy: "one", effect: "timed out" }]);
  });

  it("skip a queue that cannot help in time, and one that is full", () => {
    const one = limited("one", [queue(500), ECONOMY]);
    assert.deepEqual(new BeyondRun([one]).next({ charge: one, retryAfterMs: 501 }, 0), { kind: "charge" });
    const full = new BeyondRun([one]);
    full.next({ charge: one, retryAfterMs: 1 }, 0);
    full.leaveQueue(one, false);
    assert.deepEqual(full.next({ charge: one, retryAfterMs: 1 }, 0), { kind: "charge" });
    assert.deepEqual(full.events(true), [{ policy: "one", effect: "degraded" }]);
  });

  it("wait for the count of the policy itself after a draw", () => {
    const one = limited("one", [drawOn("credit"), queue()]);
    const run = new BeyondRun([one]);
    run.next({ charge: one, retryAfterMs: 40 }, 0);
    const [credit] = run.charges as [SingleCharge];
    const step = run.next({ charge: credit, retryAfterMs: 9_000 }, 0);
    assert.equal(step.kind === "wait" && step.retryAfterMs, 40);
    assert.deepEqual(run.charges, [one]);
  });

  it("are not taken while the store of the policy is away, but while that of the drawn policy is", () => {
    const one = limited("one", [drawOn("credit"), ECONOMY]);
    const failure = { code: "PURSER_STORE_UNAVAILABLE", applied: "deny" } as const;
    assert.equal(new BeyondRun([one]).next({ charge: one, retryAfterMs: 1, failure }, 0).kind, "refuse");
    const run = new BeyondRun([one]);
    run.next({ charge: one, retryAfterMs: 1 }, 0);
    const [credit] = run.charges as [SingleCharge];
    assert.equal(run.next({ charge: credit, retryAfterMs: 1, failure }, 0).kind, "charge");
    assert.deepEqual(run.headers, [{ name: "x-tier", value: "economy" }]);
  });

  it("refuse a charge that is none of the request's", () => {
    assert.throws(() => new BeyondRun([]).next({ charge: charge("q"), retryAfterMs: 0 }, 0), RangeError);
  });

  it("are events whose texts can be read again", () => {
    fc.assert(
      fc.property(
        fc.stringMatching(/^[a-z][a-z/-]{0,20}$/),
        fc.stringMatching(/^[a-z][a-z/-]{0,20}$/),
        fc.constantFrom("queued" as const, "timed out" as const, "degraded" as const),
        (policy, from, effect) => {
          assert.deepEqual(parseEvent(textOfEvent({ policy, effect })), { policy, effect });
          const drawn = { policy, effect: "drawn", from } as const;
          assert.deepEqual(parseEvent(textOfEvent(drawn)), drawn);
        },
      ),
    );
    for (const text of ["", ": queued", "q: ", "q: drawn", "q: drawn from ", "q: refused", "q"])
      assert.equal(parseEvent(text), undefined, text);
  });
});

describe("charging a request that cannot wait", () => {
  function setUp() {
    const { clock } = createVirtualTime();
    const memory = createMemoryQuotaStore({ clock });
    const store: NamedStore = { name: "m", allocate: (...call) => memory.allocate(...call) };
    let calls = 0;
    return async (charges: readonly QuotaCharge[]) => {
      const call = ++calls;
      return chargeBeyond(charges, (made, again) =>
        chargeAll(
          made.map((one) => demandOf(one, store, { nowMs: clock.nowMs() })),
          { localStore: memory, nodes: 1, deduplicationId: `${call} ${again}` },
        ),
      );
    };
  }
  const granted = ({
    charges,
    outcomes,
  }: {
    charges: readonly SingleCharge[];
    outcomes: readonly QuotaOutcome[];
  }) => charges.map(({ policy, amount }, index) => [policy, amount, outcomes[index]?.granted]);

  it("draws on another quota until that is used up, and skips queues", async () => {
    const make = setUp();
    const request = [
      limited("one", [queue(), drawOn("credit", { limit: 1 })]),
      charge("other", { limit: 9 }),
    ];
    for (let use = 0; use < 2; use++) assert.deepEqual((await make(request)).events, []);
    const drawn = await make(request);
    assert.deepEqual(granted(drawn), [
      ["one", 0, 0],
      ["credit", 1, 1],
      ["other", 1, 1],
    ]);
    assert.deepEqual(drawn.events, [{ policy: "one", effect: "drawn", from: "credit" }]);
    const refused = await make(request);
    assert.deepEqual(granted(refused), [
      ["one", 1, 0],
      ["other", 1, 0],
    ]);
    assert.deepEqual(refused.events, []);
    // Refused requests gave back each time what they took of the other quota.
    assert.equal((await make([charge("other", { limit: 9, amount: 0 })])).outcomes[0]?.remaining, 6);
  });

  it("degrades, and makes shadow charges once", async () => {
    const make = setUp();
    const shadow = charge("watched", { mode: "shadow", limit: 100 });
    const request = [shadow, limited("one", [ECONOMY], { limit: 0 }), charge("other")];
    const degraded = await make(request);
    assert.deepEqual(granted(degraded), [
      ["watched", 1, 1],
      ["one", 0, 0],
      ["other", 1, 1],
    ]);
    assert.deepEqual(degraded.headers, [{ name: "x-tier", value: "economy" }]);
    assert.equal((await make([{ ...shadow, amount: 0 }])).outcomes[0]?.remaining, 99);
  });
});
