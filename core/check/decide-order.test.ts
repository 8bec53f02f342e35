// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import fc from "fast-check";
import { createSeededRandom } from "../../plugins/sdk/testing/seeded-random.ts";
import {
  accessPolicy,
  computed,
  expression,
  quotaPolicy,
  rule,
  snapshotOf,
} from "../../test/support/snapshots.ts";
import { STATUS_CODES } from "../../kernel/status.ts";
import type { CheckAnswer } from "../templates/instances.ts";
import { decide } from "./decide.ts";
import { planChecks } from "./plan.ts";

const settleIn = async <T>(turns: number, value: T): Promise<T> => {
  for (let turn = 0; turn < turns; turn++) await Promise.resolve();
  return value;
};

const arbitraryRule = fc.record({
  code: fc.constantFrom(...STATUS_CODES, "OK" as const, "OK" as const),
  fails: fc.boolean(),
  mode: fc.constantFrom("enforce" as const, "shadow" as const),
  onError: fc.constantFrom("deny" as const, "allow" as const),
  validDurationMs: fc.nat(20_000),
});

const arbitraryPolicy = fc.record({
  action: fc.constantFrom("DENY" as const, "ALLOW" as const, "AUDIT" as const),
  when: fc.constantFrom<unknown>(true, false, undefined, "no boolean"),
  mode: fc.constantFrom("enforce" as const, "shadow" as const),
  onError: fc.constantFrom("deny" as const, "allow" as const),
});

describe("a decision, whatever the order of the answers", () => {
  it("is the same", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(arbitraryPolicy, { maxLength: 6 }),
        fc.array(arbitraryRule, { maxLength: 6 }),
        fc.nat(),
        async (policies, rules, seed) => {
          const decideAfter = (turnsOf: () => number) => {
            const later = <T>(value: T): T | Promise<T> => {
              const turns = turnsOf();
              return turns === 0 ? value : settleIn(turns, value);
            };
            const snapshot = snapshotOf({
              accessPolicies: policies.map((policy, index) =>
                accessPolicy(`p${index}`, { ...policy, when: expression(() => later(policy.when)) }),
              ),
              rules: rules.map(({ mode, onError }, index) =>
                rule(`r${index}`, `${index}`, { mode, onError }),
              ),
              quotaPolicies: [quotaPolicy("q", { charge: computed(() => later(2)) })],
            });
            const ask = (handler: string): CheckAnswer | Promise<CheckAnswer> => {
              const { code, fails, validDurationMs } = rules[Number(handler)] as (typeof rules)[number];
              if (fails) throw new Error(`handler ${handler}`);
              const value = [{ operation: "set", name: "x-rule", value: handler }] as const;
              return later({
                status: { code, message: handler },
                validDurationMs,
                headers: { request: value },
              });
            };
            return decide(planChecks(snapshot), {}, { nowMs: 0, dispatch: { attributeSources: [], ask } });
          };
          const random = createSeededRandom(seed);
          const atOnce = decideAfter(() => 0);
          const delayed = await decideAfter(() => Math.floor(random() * 6));
          assert.deepEqual(delayed, await atOnce);
        },
      ),
      { numRuns: 300 },
    );
  });
});
