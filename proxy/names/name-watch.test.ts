// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import type { CallContext } from "../../kernel/deadline.ts";
import { RecordingLogger } from "../testing/harness.test.ts";
import { VirtualTime } from "../testing/virtual-time.test.ts";
import type { NameAnswer } from "./name-lookup.ts";
import { NameWatch } from "./name-watch.ts";

interface Asked {
  readonly name: string;
  readonly call: CallContext;
  answer(addresses: readonly string[], ttlMs?: number): void;
  fail(message: string): void;
}

/** Lets the promises of answers run. */
const settle = () => new Promise((resolve) => setImmediate(resolve));

describe("the addresses of watched names", () => {
  let time: VirtualTime;
  let logger: RecordingLogger;
  let asked: Asked[];
  let answers: number;
  let watch: NameWatch;

  beforeEach(() => {
    time = new VirtualTime();
    logger = new RecordingLogger();
    asked = [];
    answers = 0;
    const lookUp = (name: string, call: CallContext): Promise<NameAnswer> =>
      new Promise((resolve, reject) => {
        asked.push({
          name,
          call,
          answer: (addresses, ttlMs) => resolve({ addresses, ttlMs }),
          fail: (message) => reject(new Error(message)),
        });
      });
    const runtime = { clock: time, scheduler: time, random: () => 0, logger };
    watch = new NameWatch(lookUp, runtime, () => answers++);
  });

  const names = (...list: readonly string[]) => new Set(list);

  async function answerNext(addresses: readonly string[], ttlMs?: number): Promise<void> {
    asked.shift()?.answer(addresses, ttlMs);
    await settle();
  }

  async function failNext(): Promise<void> {
    asked.shift()?.fail("the server failed");
    await settle();
  }

  for (const [what, ttlMs, refreshMs] of [
    ["its TTL", 30_000, 30_000],
    ["a second, for TTL 0", 0, 1_000],
    ["a minute, without a TTL", undefined, 60_000],
    ["an hour, for a longer TTL", 86_400_000, 3_600_000],
  ] as const)
    it(`are asked for again after ${what}`, async () => {
      watch.watch(names("a"));
      await answerNext(["10.0.0.1"], ttlMs);
      assert.deepEqual(watch.addressesOf("a"), ["10.0.0.1"]);
      time.pass(refreshMs - 1);
      assert.equal(asked.length, 0);
      time.pass(1);
      assert.equal(asked.length, 1);
    });

  it("are kept while lookups fail, which are tried again after a pause", async () => {
    watch.watch(names("a"));
    await answerNext(["10.0.0.1"], 5_000);
    time.pass(5_000);
    for (let failures = 0; failures < 20; failures++) {
      await failNext();
      assert.deepEqual(watch.addressesOf("a"), ["10.0.0.1"]);
      assert.equal(asked.length, 0);
      // With the least jitter, every pause is a second.
      time.pass(999);
      assert.equal(asked.length, 0);
      time.pass(1);
      assert.equal(asked.length, 1);
    }
    await answerNext(["10.0.0.2"], 5_000);
    assert.deepEqual(watch.addressesOf("a"), ["10.0.0.2"]);
    assert.equal(answers, 2);
    assert.deepEqual(
      logger.lines.map(({ message }) => message),
      ["a name cannot be looked up", "a name has addresses again"],
    );
  });

  it("are none when the name exists no longer", async () => {
    watch.watch(names("a"));
    await answerNext(["10.0.0.1"], 5_000);
    time.pass(5_000);
    await answerNext([]);
    assert.deepEqual(watch.addressesOf("a"), []);
    assert.equal(answers, 2);
    time.pass(1_000);
    assert.equal(asked.length, 1);
  });

  it("are settled by a first failure too", async () => {
    watch.watch(names("a", "b"));
    await failNext();
    assert.equal(watch.isSettled, false);
    await answerNext(["10.0.0.1"]);
    assert.equal(watch.isSettled, true);
    assert.deepEqual(watch.addressesOf("a"), []);
    assert.equal(answers, 2);
  });

  it("are told when they change, and not otherwise", async () => {
    watch.watch(names("a"));
    await answerNext(["10.0.0.1", "10.0.0.2"], 1_000);
    const first = watch.addressesOf("a");
    time.pass(1_000);
    await answerNext(["10.0.0.1", "10.0.0.2"], 1_000);
    assert.equal(answers, 1);
    assert.equal(watch.addressesOf("a"), first);
    time.pass(1_000);
    await answerNext(["10.0.0.2", "10.0.0.1"], 1_000);
    assert.equal(answers, 2);
  });

  it("are looked up 16 at a time, in order", async () => {
    const many = Array.from({ length: 40 }, (_, index) => `name-${index}`);
    watch.watch(new Set(many));
    const seen: string[] = [];
    while (asked.length > 0) {
      assert.ok(asked.length <= 16);
      seen.push(asked[0]?.name as string);
      await answerNext(["10.0.0.1"]);
    }
    assert.deepEqual(seen, many);
    assert.ok(watch.isSettled);
  });

  it("are given up after five seconds, and the lookup's signal says so", async () => {
    watch.watch(names("a"));
    const [hanging] = asked.splice(0);
    time.pass(5_000);
    await settle();
    assert.equal(hanging?.call.signal.aborted, true);
    assert.equal(watch.isSettled, true);
    time.pass(1_000);
    assert.equal(asked.length, 1);
    hanging?.answer(["10.6.6.6"]);
    await settle();
    assert.deepEqual(watch.addressesOf("a"), []);
  });

  it("are forgotten with the name, and late answers with them", async () => {
    watch.watch(names("a", "b"));
    await answerNext(["10.0.0.1"], 1_000);
    const [late] = asked.splice(0);
    watch.watch(names("c"));
    late?.answer(["10.0.0.9"]);
    await settle();
    assert.deepEqual(watch.addressesOf("a"), []);
    assert.deepEqual(watch.addressesOf("b"), []);
    assert.deepEqual(
      asked.map(({ name }) => name),
      ["c"],
    );
    assert.equal(answers, 1);
  });

  it("leave no timer behind when they are closed", async () => {
    watch.watch(names("a", "b"));
    await answerNext(["10.0.0.1"]);
    watch.close();
    await failNext();
    assert.equal(time.tasks.size, 0);
    assert.ok(watch.isSettled);
  });
});
