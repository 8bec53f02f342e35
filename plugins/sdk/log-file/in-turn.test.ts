// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { inTurn } from "./in-turn.ts";

describe("work in turn", () => {
  it("runs one piece of a key at a time, in order, and goes on after a failure", async () => {
    const events: string[] = [];
    const work = (name: string, ms: number, fails = false) =>
      inTurn("key", async () => {
        events.push(`${name} begins`);
        await sleep(ms);
        events.push(`${name} ends`);
        if (fails) throw new Error(name);
        return name;
      });
    const first = work("first", 20, true);
    const second = work("second", 0);
    await assert.rejects(first, /first/);
    assert.equal(await second, "second");
    assert.deepEqual(events, ["first begins", "first ends", "second begins", "second ends"]);
  });

  it("does not let a key wait for another key", async () => {
    const never = new Promise<void>(() => {});
    void inTurn("stuck", () => never);
    assert.equal(await inTurn("other", async () => 1), 1);
  });
});
