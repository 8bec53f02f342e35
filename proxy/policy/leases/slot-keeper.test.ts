// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import fc from "fast-check";
import type { MixerService } from "../../../api/mixer-service.ts";
import { compileWithJsonata } from "../../../core/expressions/jsonata-engine.ts";
import {
  createCollectingLogger,
  createSeededRandom,
  createVirtualTime,
  type VirtualTime,
} from "../../../plugins/sdk/testing/index.ts";
import type { CheckResult } from "../check-result.ts";
import { createPolicyClient, type MeteredPolicyClient } from "../policy-client.ts";
import { charge, quota, ToyMixer, type ToyQuota } from "../toy-mixer.test.ts";

const LEASE_MS = 1_000;

/** A proxy of the tests; once it has crashed, nothing that it sends arrives. */
interface Proxy {
  readonly client: MeteredPolicyClient;
  crashed: boolean;
}

class Mesh {
  readonly time: VirtualTime = createVirtualTime();
  readonly mixer = new ToyMixer(this.time);
  readonly slots: ToyQuota;
  readonly #proxies: Proxy[] = [];

  constructor(limit: number, amount = 1) {
    const { mixer } = this;
    this.slots = quota({
      policy: "at-a-time",
      algorithm: "concurrency",
      limit,
      windowMs: LEASE_MS,
      leaseMs: 0,
      onStoreFailure: "deny",
    });
    mixer.quotas = [this.slots];
    mixer.decide = () => ({
      validDurationMs: 1_000_000_000,
      validUseCount: 1_000_000_000,
      charges: [charge(this.slots, amount)],
    });
  }

  proxy(): Proxy {
    const { mixer, time } = this;
    const proxy: { client?: MeteredPolicyClient; crashed: boolean } = { crashed: false };
    const arrives =
      <A extends unknown[], R>(call: (...args: A) => R) =>
      (...args: A): R =>
        proxy.crashed ? (new Promise(() => {}) as R) : call(...args);
    const service: MixerService = {
      check: arrives((request) => mixer.check(request)),
      allocate: arrives((request) => mixer.allocate(request)),
      report: arrives((request) => mixer.report(request)),
      watch: (identity, listener) => mixer.watch(identity, listener),
    };
    proxy.client = createPolicyClient({
      service,
      identity: { id: `edge~${this.#proxies.length}` },
      clock: time.clock,
      scheduler: time.scheduler,
      random: createSeededRandom(),
      logger: createCollectingLogger(),
      compile: compileWithJsonata,
    });
    this.#proxies.push(proxy as Proxy);
    return proxy as Proxy;
  }

  async check({ client }: Proxy): Promise<CheckResult> {
    let settled = false;
    const verdict = Promise.resolve(client.check({})).finally(() => (settled = true));
    while (!settled) await this.time.advanceAndSettle(5);
    return await verdict;
  }

  async wait(ms: number): Promise<void> {
    // Small steps, since renewals need an answer before the next one is due.
    for (let left = ms; left > 0; left -= 50) await this.time.advanceAndSettle(Math.min(50, left));
  }

  get used(): number {
    return this.slots.limit - this.mixer.remaining(this.slots);
  }
}

const allows = ({ outcome }: CheckResult): boolean => outcome.kind === "allow";
const end = ({ settlement }: CheckResult): void => settlement?.settle(undefined, {});

describe("slots of concurrency", () => {
  for (const delayMs of [0, 3]) {
    it(`are held while their requests last, over many leases, with replies after ${delayMs} ms`, async () => {
      const mesh = new Mesh(2);
      mesh.mixer.delayMs = delayMs;
      const [first, second] = [mesh.proxy(), mesh.proxy()];
      const running = [await mesh.check(first), await mesh.check(second)];
      assert.deepEqual(running.map(allows), [true, true]);
      for (let lease = 0; lease < 5; lease++) {
        await mesh.wait(LEASE_MS);
        assert.equal(allows(await mesh.check(first)), false, `lease ${lease}`);
      }
      const [one] = running as [CheckResult];
      end(one);
      await mesh.wait(200);
      assert.equal(mesh.used, 1);
      const next = await mesh.check(second);
      assert.ok(allows(next));
      assert.ok((first.client.stats()["quota_slots_renewed"] as number) >= 5);
      assert.equal(first.client.stats()["quota_slots_lost"], 0);
    });
  }

  it("refuse for a tenth of a second, not for the lease, since any request may end", async () => {
    const mesh = new Mesh(1);
    const [first, second] = [mesh.proxy(), mesh.proxy()];
    const running = await mesh.check(first);
    assert.equal(allows(await mesh.check(second)), false);
    end(running);
    await mesh.wait(150);
    assert.equal(allows(await mesh.check(second)), true);
  });

  it("of a crashed proxy are free after one lease and a thirty-second of it", async () => {
    const mesh = new Mesh(3);
    const [first, second] = [mesh.proxy(), mesh.proxy()];
    for (let index = 0; index < 3; index++) assert.ok(allows(await mesh.check(first)));
    first.crashed = true;
    await mesh.wait(LEASE_MS / 2);
    assert.equal(allows(await mesh.check(second)), false);
    await mesh.wait(LEASE_MS / 2 + LEASE_MS / 32 + 150);
    assert.ok(allows(await mesh.check(second)));
    assert.equal(mesh.used, 1);
  });

  it("are lost and counted when the store is away for a lease, while their requests go on", async () => {
    const mesh = new Mesh(1);
    const proxy = mesh.proxy();
    const running = await mesh.check(proxy);
    mesh.mixer.condition = "refuses";
    await mesh.wait(2 * LEASE_MS + 500);
    mesh.mixer.condition = "up";
    assert.equal(proxy.client.stats()["quota_slots_lost"], 1);
    end(running);
    await mesh.wait(1_000);
    assert.equal(mesh.used, 0);
  });

  it("go back after a renewal that was under way when the request ended", async () => {
    const mesh = new Mesh(1);
    const proxy = mesh.proxy();
    const running = await mesh.check(proxy);
    mesh.mixer.delayMs = 100;
    // The look at half of the lease sends the renewal.
    for (let step = 0; mesh.mixer.allocations.length === 0 && step < 200; step++)
      await mesh.time.advanceAndSettle(10);
    end(running);
    await mesh.wait(500);
    assert.equal(mesh.used, 0);
  });

  it("are never held by more requests than the limit, whatever starts, ends, lasts or crashes", async () => {
    const action = fc.oneof(
      { weight: 4, arbitrary: fc.record({ kind: fc.constant("start" as const), proxy: fc.nat(2) }) },
      { weight: 3, arbitrary: fc.record({ kind: fc.constant("end" as const), at: fc.nat(20) }) },
      { weight: 2, arbitrary: fc.record({ kind: fc.constant("wait" as const), ms: fc.nat(900) }) },
      { weight: 1, arbitrary: fc.record({ kind: fc.constant("crash" as const), proxy: fc.nat(2) }) },
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(action, { maxLength: 40 }),
        fc.integer({ min: 1, max: 5 }),
        fc.constantFrom(0, 3),
        async (actions, limit, delayMs) => {
          const mesh = new Mesh(limit);
          mesh.mixer.delayMs = delayMs;
          const proxies = [mesh.proxy(), mesh.proxy(), mesh.proxy()];
          let running: { readonly proxy: number; readonly result: CheckResult }[] = [];
          for (const one of actions) {
            switch (one.kind) {
              case "start": {
                const result = await mesh.check(proxies[one.proxy] as Proxy);
                if (allows(result)) running.push({ proxy: one.proxy, result });
                break;
              }
              case "end": {
                const [ended] = running.splice(one.at % Math.max(1, running.length), 1);
                if (ended !== undefined) end(ended.result);
                break;
              }
              case "wait":
                await mesh.wait(one.ms);
                break;
              case "crash":
                // Its requests end with it; their slots stay taken until their leases end.
                (proxies[one.proxy] as Proxy).crashed = true;
                running = running.filter(({ proxy }) => proxy !== one.proxy);
                proxies[one.proxy] = mesh.proxy();
            }
            assert.ok(running.length <= limit, `${running.length} at a time`);
          }
          await mesh.wait(50);
          assert.ok(mesh.used >= running.length, `${mesh.used} slots for ${running.length} requests`);
          for (const { result } of running) end(result);
          await mesh.wait(LEASE_MS + LEASE_MS / 32 + 100);
          assert.equal(mesh.used, 0);
        },
      ),
      { numRuns: 60 },
    );
  });
});
