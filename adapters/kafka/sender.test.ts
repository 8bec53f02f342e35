// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { createVirtualTime } from "../../plugins/sdk/testing/index.ts";
import type { KafkaDriver, KafkaRecord } from "./driver.ts";
import { RecordSender } from "./sender.ts";

const protocolError = (type: string) => Object.assign(new Error(type), { type });
const recordOf = (value: string, key?: string, topic = "t"): KafkaRecord => ({
  topic,
  key,
  value,
  headers: {},
  bytes: 100,
});

/** A sender whose drivers do what the script says, one step for each request, and note requests as `driver:topic/partition:values`. */
function setUp({ partitions = 1, resumes = true, idempotent = true, maxRecordBytes = 1_000 } = {}) {
  const log: string[] = [];
  const script: ((records: readonly KafkaRecord[]) => Promise<void> | void)[] = [];
  const time = createVirtualTime();
  let opened = 0;
  const open = (): Promise<KafkaDriver> => {
    const name = `driver${++opened}`;
    return Promise.resolve({
      resumes,
      partitionCount: (topic) =>
        topic === "gone"
          ? Promise.reject(protocolError("UNKNOWN_TOPIC_OR_PARTITION"))
          : Promise.resolve(partitions),
      produce: async (topic, partition, records) => {
        log.push(`${name}:${topic}/${partition}:${records.map(({ value }) => value).join("")}`);
        await script.shift()?.(records);
      },
      close: () => void log.push(`${name} closed`),
    });
  };
  const sender = new RecordSender({ open, idempotent, maxRecordBytes, clock: time.clock, random: () => 0 });
  const send = async (records: readonly KafkaRecord[], signal: AbortSignal = new AbortController().signal) =>
    [...(await sender.send(records, signal))].map(
      ([index, { code, retryable }]) => `${index} ${code} ${retryable}`,
    );
  return { log, script, sender, send, time };
}

const fail = (type: string) => () => Promise.reject(protocolError(type));
const FAILED = "PURSER_HANDLER_FAILED";

describe("the sender of records", () => {
  const [a, b, c] = [recordOf("a"), recordOf("b"), recordOf("c")] as const;

  it("opens a driver at the first send, and sends one batch at a time", async () => {
    const { log, script, send } = setUp();
    let release: () => void = () => {};
    script.push(() => new Promise<void>((resolve) => (release = resolve)));
    const both = Promise.all([send([a]), send([b])]);
    await settled();
    assert.deepEqual(log, ["driver1:t/0:a"]);
    release();
    assert.deepEqual(await both, [[], []]);
    assert.deepEqual(log, ["driver1:t/0:a", "driver1:t/0:b"]);
  });

  it("repeats the same records with the same producer, and other records with a new one", async () => {
    const { log, script, send } = setUp();
    script.push(fail("REQUEST_TIMED_OUT"));
    assert.deepEqual(await send([a, b]), [`0 ${FAILED} true`, `1 ${FAILED} true`]);
    assert.deepEqual(await send([a, b]), []);
    script.push(fail("REQUEST_TIMED_OUT"));
    await send([c]);
    assert.deepEqual(await send([a]), []);
    const requests = log.filter((line) => !line.endsWith("closed"));
    assert.deepEqual(requests, ["driver1:t/0:ab", "driver1:t/0:ab", "driver1:t/0:c", "driver2:t/0:a"]);
    assert.ok(log.includes("driver1 closed"));
  });

  it("keeps the producer for other records when requests are not idempotent, or the driver changes its identity itself", async () => {
    for (const options of [{ idempotent: false }, { resumes: false }]) {
      const { log, script, send } = setUp(options);
      script.push(fail("REQUEST_TIMED_OUT"));
      await send([a]);
      await send([b]);
      assert.deepEqual(log, ["driver1:t/0:a", "driver1:t/0:b"]);
    }
  });

  it("takes a new producer after the broker has refused its numbers or its identity", async () => {
    for (const type of ["OUT_OF_ORDER_SEQUENCE_NUMBER", "INVALID_PRODUCER_EPOCH", "UNKNOWN_PRODUCER_ID"]) {
      const { log, script, send } = setUp();
      script.push(fail(type));
      assert.deepEqual(await send([a]), [`0 ${FAILED} true`]);
      await send([a]);
      assert.deepEqual(log, ["driver1:t/0:a", "driver1 closed", "driver2:t/0:a"]);
    }
  });

  it("sends nothing behind a failure that may pass, and all behind a refusal", async () => {
    const { log, script, send } = setUp({ maxRecordBytes: 100 });
    script.push(fail("NOT_ENOUGH_REPLICAS"));
    assert.deepEqual(await send([a, b]), [`0 ${FAILED} true`, `1 ${FAILED} true`]);
    script.push(fail("INVALID_RECORD"));
    assert.deepEqual(await send([a, b]), [`0 ${FAILED} false`]);
    assert.deepEqual(log, ["driver1:t/0:a", "driver1:t/0:a", "driver1:t/0:b"]);
  });

  it("halves a request that is too large until single records are refused", async () => {
    const { log, script, send } = setUp();
    const step = (records: readonly KafkaRecord[]) => {
      if (records.includes(b)) throw protocolError("MESSAGE_TOO_LARGE");
    };
    script.push(step, step, step, step, step);
    assert.deepEqual(await send([a, b, c]), ["1 PURSER_REQUEST_TOO_LARGE false"]);
    assert.deepEqual(
      log.map((line) => line.split(":")[2]),
      ["abc", "a", "bc", "b", "c"],
    );
  });

  it("divides requests by their size, and refuses larger records without sending them", async () => {
    const { log, send } = setUp({ maxRecordBytes: 250 });
    const large = { ...b, bytes: 251 };
    assert.deepEqual(await send([a, large, b, c]), ["1 PURSER_REQUEST_TOO_LARGE false"]);
    assert.deepEqual(log, ["driver1:t/0:ab", "driver1:t/0:c"]);
  });

  it("refuses the records of an unknown topic alone", async () => {
    const { send } = setUp();
    assert.deepEqual(await send([a, recordOf("x", undefined, "gone")]), [`1 ${FAILED} false`]);
  });

  it("keeps a record without a key at its partition, and sends a key's records to one", async () => {
    const { log, script, send } = setUp({ partitions: 50 });
    script.push(fail("REQUEST_TIMED_OUT"));
    await send([a]);
    await send([a]);
    assert.equal(log[0], log[1]);
    log.length = 0;
    await send(["1", "2", "3"].map((value) => recordOf(value, "ada")));
    assert.match(log[0] ?? "", /:123$/);
  });

  it("ends with the signal, and with close, also while it waits for its turn", async () => {
    const { script, send, sender, log } = setUp();
    script.push(
      () => new Promise(() => {}),
      () => new Promise(() => {}),
    );
    const deadline = new AbortController();
    const late = [send([a], deadline.signal), send([b], deadline.signal)];
    await settled();
    deadline.abort();
    for (const call of late) await assert.rejects(call, { code: "PURSER_HANDLER_TIMEOUT", retryable: true });
    const next = send([a]);
    await settled();
    assert.equal(log.at(-1), "driver2:t/0:a");
    sender.close();
    await assert.rejects(next, { code: FAILED, retryable: true });
    await assert.rejects(send([a]), { code: FAILED, retryable: true });
    await settled();
    assert.deepEqual(
      log.filter((line) => line.endsWith("closed")),
      ["driver1 closed", "driver2 closed"],
    );
  });

  it("is healthy unless the last batch failed for a reason that may pass", async () => {
    const { script, send, sender } = setUp();
    script.push(fail("REQUEST_TIMED_OUT"), fail("INVALID_RECORD"));
    await send([a]);
    assert.equal(sender.healthy, false);
    await send([a]);
    assert.equal(sender.healthy, true);
  });
});

/** Lets all promises that can settle do so. */
function settled(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}
