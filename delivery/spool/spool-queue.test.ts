// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import fc from "fast-check";
import { createSeededRandom, createVirtualTime, type VirtualTime } from "../../plugins/sdk/testing/index.ts";
import { FakeDisk } from "../../test/support/fake-disk.ts";
import type { Batch } from "../batch.ts";
import type { DropReason } from "../events.ts";
import { SpoolQueue, type SpoolQueueOptions } from "./spool-queue.ts";

type Item = number;

const codec = {
  encode: (item: Item): Uint8Array => new TextEncoder().encode(`${item}:${"x".repeat(item % 50)}`),
  decode: (bytes: Uint8Array): Item => Number.parseInt(new TextDecoder().decode(bytes), 10),
};

class Process {
  readonly drops: [items: number, reason: DropReason][] = [];
  readonly damage: string[] = [];
  readonly faults: unknown[] = [];
  readonly queue: SpoolQueue<Item>;

  constructor(disk: FakeDisk, time: VirtualTime, options: Partial<SpoolQueueOptions<Item>> = {}) {
    this.queue = new SpoolQueue<Item>({
      files: disk.connect(),
      codec,
      maxItemsInMemory: 8,
      maxBytes: 1024 * 1024,
      drop: "oldest",
      writes: "all",
      onDiskFailure: "memory",
      fsync: "interval",
      onFault: (error) => void this.faults.push(error),
      onDamage: (report, items) => void this.damage.push(`${report} (${items})`),
      clock: time.clock,
      scheduler: time.scheduler,
      ...options,
    });
    this.queue.listen({
      dropped: (items, reason) => void this.drops.push([items, reason]),
      ready: () => {},
    });
  }

  async takeAll(time: VirtualTime): Promise<Item[]> {
    const items: Item[] = [];
    for (let idle = 0; idle < 5; ) {
      const batch = this.queue.take({ items: 3 });
      if (batch === undefined) {
        idle++;
        await time.advanceAndSettle(1_000);
        continue;
      }
      idle = 0;
      items.push(...batch.items);
      this.queue.acknowledge(batch, "delivered");
    }
    await settle(time);
    return items;
  }
}

async function settle(time: VirtualTime): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await time.advanceAndSettle(0);
}

function balanced({ queue }: Process, underWay: number): void {
  const { totals } = queue;
  if (totals === undefined) return;
  let dropped = 0;
  for (const items of Object.values(totals.dropped)) dropped += items;
  assert.equal(totals.accepted, totals.delivered + queue.size + underWay + dropped, JSON.stringify(totals));
}

describe("the queue on disk", () => {
  const items = (from: number, to: number): Item[] => Array.from({ length: to - from }, (_, i) => from + i);

  it("keeps more items than memory holds, in order, and removes their files", async () => {
    const disk = new FakeDisk(createSeededRandom(1));
    const time = createVirtualTime();
    const process = new Process(disk, time);
    await settle(time);
    for (const item of items(0, 500)) process.queue.put(item);
    await settle(time);
    assert.equal(process.queue.size, 500);
    assert.deepEqual(await process.takeAll(time), items(0, 500));
    await process.queue.close();
    assert.deepEqual(
      [...disk.files.keys()].filter((name) => name.endsWith(".segment")).length <= 1,
      true,
      String([...disk.files.keys()]),
    );
  });

  it("returns what was not acknowledged after a kill, and counts over both lives", async () => {
    const disk = new FakeDisk(createSeededRandom(2));
    const time = createVirtualTime();
    const first = new Process(disk, time);
    await settle(time);
    for (const item of items(0, 100)) first.queue.put(item);
    await first.queue.whenDurable();
    await settle(time);
    const batch = first.queue.take({ items: 5 }) as Batch<Item>;
    first.queue.acknowledge(batch, "delivered");
    assert.equal(first.queue.take({ items: 2 }), undefined, "the ledger is written first");
    await settle(time);
    first.queue.acknowledge(first.queue.take({ items: 2 }) as Batch<Item>, "refused");
    await settle(time);
    disk.crash();
    const second = new Process(disk, time);
    await settle(time);
    assert.deepEqual(second.queue.totals, { accepted: 100, delivered: 5, dropped: { refused: 2 } });
    assert.deepEqual(await second.takeAll(time), items(7, 100));
    assert.deepEqual(second.queue.totals, { accepted: 100, delivered: 98, dropped: { refused: 2 } });
  });

  it("has whoever must lose nothing wait until its files were read, or could not be", async () => {
    const time = createVirtualTime();
    const disk = new FakeDisk(createSeededRandom(5));
    const first = new Process(disk, time);
    // More than memory holds: without the wait the rest would be dropped.
    await first.queue.whenOpen();
    assert.equal(first.queue.whenOpen(), undefined);
    for (let item = 0; item < 50; item++) first.queue.put(item);
    await first.queue.whenDurable();
    assert.deepEqual([first.drops, first.queue.size], [[], 50]);
    // The folder is in use, so a second process cannot read it, and says so.
    const second = new Process(disk, time);
    await second.queue.whenOpen();
    for (let item = 0; item < 10; item++) second.queue.put(item);
    assert.deepEqual(
      [second.drops, second.faults.length],
      [
        [
          [1, "unwritable"],
          [1, "unwritable"],
        ],
        1,
      ],
    );
    await second.queue.close();
    await first.queue.close();
  });

  it("drops the oldest segment, or the newest item, when it is full", async () => {
    for (const drop of ["oldest", "newest"] as const) {
      const time = createVirtualTime();
      const process = new Process(new FakeDisk(createSeededRandom(3)), time, {
        drop,
        maxBytes: 200_000,
        maxItemsInMemory: 100_000,
      });
      for (const item of items(0, 10_000)) {
        process.queue.put(item);
        if (item % 100 === 0) await settle(time);
      }
      await settle(time);
      assert.ok(process.queue.bytes <= 270_000, String(process.queue.bytes));
      balanced(process, 0);
      const left = await process.takeAll(time);
      const dropped = process.drops.reduce(
        (sum, [count, reason]) => (reason === "overflow" ? sum + count : sum),
        0,
      );
      assert.equal(left.length + dropped, 10_000);
      assert.ok(left.length > 3_000);
      assert.deepEqual(left, drop === "oldest" ? items(dropped, 10_000) : items(0, left.length));
    }
  });

  it("drops the oldest waiting items while a batch of the oldest segment is under way", async () => {
    const time = createVirtualTime();
    const process = new Process(new FakeDisk(createSeededRandom(12)), time, { maxBytes: 200_000 });
    await settle(time);
    for (const item of items(0, 10)) process.queue.put(item);
    await settle(time);
    // The receiver is away: its batch ends at last, when the spool has long been full.
    const held = process.queue.take({ items: 5 }) as Batch<Item>;
    for (const item of items(10, 20_000)) {
      process.queue.put(item);
      if (item % 100 === 0) await settle(time);
    }
    await settle(time);
    assert.ok(process.queue.bytes <= 270_000, String(process.queue.bytes));
    balanced(process, held.items.length);
    process.queue.acknowledge(held, "delivered");
    const left = await process.takeAll(time);
    assert.ok(left.length > 2_000, String(left.length));
    assert.deepEqual(left, items(20_000 - left.length, 20_000));
    balanced(process, 0);
  });

  it("skips a damaged segment with a report, and loses no other item", async () => {
    const time = createVirtualTime();
    const disk = new FakeDisk(createSeededRandom(4));
    const first = new Process(disk, time);
    for (const item of items(0, 20_000)) {
      first.queue.put(item);
      if (item % 500 === 0) await settle(time);
    }
    await settle(time);
    await first.queue.close();
    const segments = [...disk.files.keys()].filter((name) => name.endsWith(".segment"));
    assert.ok(segments.length > 3);
    // One flipped bit in a payload, a file cut off, and a file of zeros.
    const flipped = disk.files.get(segments[0] as string) as Uint8Array;
    flipped[17] = (flipped[17] as number) ^ 1;
    disk.files.set(
      segments[1] as string,
      (disk.files.get(segments[1] as string) as Uint8Array).slice(0, 1000),
    );
    (disk.files.get(segments[2] as string) as Uint8Array).fill(0);
    const second = new Process(disk, time);
    await settle(time);
    const { totals } = second.queue;
    const lost = totals?.dropped.damaged ?? 0;
    assert.equal(totals?.accepted, 20_000);
    const left = await second.takeAll(time);
    assert.equal(left.length + lost, 20_000);
    assert.ok(lost > 1_000 && lost < 19_000, String(lost));
    assert.ok(second.damage.length >= 3, second.damage.join("\n"));
    assert.deepEqual(left.slice(0, 1), [1]);
    balanced(second, 0);
  });

  it("holds items in memory while the disk is full, within its bound, and writes them later", async () => {
    const time = createVirtualTime();
    const disk = new FakeDisk(createSeededRandom(5));
    const process = new Process(disk, time);
    await settle(time);
    disk.full = true;
    for (const item of items(0, 4)) process.queue.put(item);
    await settle(time);
    assert.equal(process.faults.length, 1);
    for (const item of items(4, 30)) process.queue.put(item);
    assert.equal(process.queue.whenDurable(), undefined);
    const refused = process.drops.reduce((sum, [count]) => sum + count, 0);
    assert.equal(refused, 30 - 8);
    disk.full = false;
    await time.advanceAndSettle(1_500);
    await settle(time);
    assert.equal(process.faults.at(-1), undefined);
    disk.crash();
    const second = new Process(disk, time);
    assert.deepEqual(await second.takeAll(time), items(0, 30 - refused));
    balanced(second, 0);
  });

  it("loses nothing when it is killed and started again while the disk is full", async () => {
    const time = createVirtualTime();
    // No byte of a record gets on the full disk: the killed process leaves a segment without items.
    const disk = new FakeDisk(() => 0.1);
    const first = new Process(disk, time);
    await settle(time);
    disk.full = true;
    first.queue.put(0);
    await settle(time);
    disk.crash();
    const second = new Process(disk, time);
    await settle(time);
    for (const item of items(0, 4)) second.queue.put(item);
    await settle(time);
    disk.full = false;
    await time.advanceAndSettle(2_000);
    await settle(time);
    assert.equal(second.queue.whenDurable(), undefined);
    await second.queue.close();
    const third = new Process(disk, time);
    assert.deepEqual(await third.takeAll(time), items(0, 4));
    assert.deepEqual(third.damage, []);
  });

  it("drops what finds the disk full when its document says so", async () => {
    const time = createVirtualTime();
    const disk = new FakeDisk(createSeededRandom(6));
    const process = new Process(disk, time, { onDiskFailure: "drop" });
    await settle(time);
    disk.full = true;
    process.queue.put(1);
    await settle(time);
    process.queue.put(2);
    assert.deepEqual(process.drops, [[1, "unwritable"]]);
  });

  it("writes one group at a time, when it is closed during a retry or the forced write succeeds meanwhile", async () => {
    for (const meanwhile of ["close", "sync"] as const) {
      const time = createVirtualTime();
      const disk = new FakeDisk(createSeededRandom(8));
      const files = disk.connect();
      let held: Promise<void> | undefined;
      let release = (): void => {};
      const append = async (name: string, bytes: Uint8Array): Promise<void> => {
        await held;
        await files.append(name, bytes);
      };
      const process = new Process(disk, time, { files: { ...files, append }, maxItemsInMemory: 20 });
      await settle(time);
      if (meanwhile === "sync") {
        process.queue.put(0);
        await settle(time);
        await time.advanceAndSettle(10);
      }
      disk.full = true;
      for (const item of items(1, 5)) process.queue.put(item);
      await settle(time);
      disk.full = false;
      held = new Promise((resolve) => (release = resolve));
      await time.advanceAndSettle(995);
      process.queue.put(5);
      await settle(time);
      await time.advanceAndSettle(5);
      await settle(time);
      const closed = meanwhile === "close" ? process.queue.close() : undefined;
      await settle(time);
      release();
      held = undefined;
      await settle(time);
      await time.advanceAndSettle(2_000);
      await settle(time);
      await closed;
      disk.crash();
      const second = new Process(disk, time);
      const expected = items(meanwhile === "sync" ? 0 : 1, 6);
      assert.deepEqual(await second.takeAll(time), expected, meanwhile);
      assert.deepEqual(second.queue.totals, {
        accepted: expected.length,
        delivered: expected.length,
        dropped: {},
      });
    }
  });

  it("opens later, and reports the end of the fault, when the files cannot be read at first", async () => {
    for (const fails of ["list", "read"] as const) {
      const time = createVirtualTime();
      const disk = new FakeDisk(createSeededRandom(9));
      const first = new Process(disk, time);
      for (const item of items(0, 5)) first.queue.put(item);
      await settle(time);
      await first.queue.close();
      const files = disk.connect();
      const fail = (): Promise<never> =>
        Promise.reject(Object.assign(new Error("too many open files"), { code: "EMFILE" }));
      let refuses = true;
      const second = new Process(disk, time, {
        files: {
          ...files,
          list: () => (refuses && fails === "list" ? fail() : files.list()),
          read: (...place) => (refuses && fails === "read" ? fail() : files.read(...place)),
        },
      });
      await time.advanceAndSettle(3_000);
      assert.deepEqual(second.faults.length, 1, "one report for all tries");
      refuses = false;
      assert.deepEqual(await second.takeAll(time), items(0, 5), fails);
      assert.deepEqual([second.faults.at(-1), second.damage], [undefined, []]);
      await second.queue.close();
    }
  });

  it("waits, and loses no item, while files cannot be opened to read back from them", async () => {
    const time = createVirtualTime();
    const disk = new FakeDisk(createSeededRandom(10));
    const files = disk.connect();
    let refuses = false;
    const process = new Process(disk, time, {
      files: {
        ...files,
        read: (...place) =>
          refuses
            ? Promise.reject(Object.assign(new Error("too many open files"), { code: "EMFILE" }))
            : files.read(...place),
      },
    });
    await settle(time);
    for (const item of items(0, 100)) process.queue.put(item);
    await settle(time);
    refuses = true;
    assert.deepEqual(await process.takeAll(time), items(0, 8), "those in memory");
    assert.equal(process.queue.size, 92);
    refuses = false;
    assert.deepEqual(await process.takeAll(time), items(8, 100));
    assert.deepEqual(process.damage, []);
  });

  it("takes the zeros that a power failure leaves behind the last item for no items", async () => {
    const time = createVirtualTime();
    const disk = new FakeDisk(createSeededRandom(11));
    const first = new Process(disk, time);
    for (const item of items(0, 5)) first.queue.put(item);
    await settle(time);
    disk.crash();
    for (const [name, bytes] of disk.files)
      if (name.endsWith(".segment"))
        disk.files.set(name, new Uint8Array(Buffer.concat([bytes, Buffer.alloc(4096)])));
    const second = new Process(disk, time);
    assert.deepEqual(await second.takeAll(time), items(0, 5));
    assert.deepEqual(second.queue.totals, { accepted: 5, delivered: 5, dropped: {} });
  });

  it("writes only the excess, when it serves as an overflow", async () => {
    const time = createVirtualTime();
    const disk = new FakeDisk(createSeededRandom(7));
    const process = new Process(disk, time, { writes: "excess" });
    await settle(time);
    for (const item of items(0, 8)) process.queue.put(item);
    await settle(time);
    assert.deepEqual(
      [...disk.files.keys()].filter((name) => name.endsWith(".segment")),
      [],
    );
    for (const item of items(8, 100)) process.queue.put(item);
    assert.deepEqual(await process.takeAll(time), items(0, 100));
  });

  it("survives any order of work, failures and kills: nothing that was durable is lost or uncounted", async () => {
    const command = fc.oneof(
      {
        weight: 6,
        arbitrary: fc.record({ do: fc.constant("put" as const), count: fc.integer({ min: 1, max: 12 }) }),
      },
      {
        weight: 4,
        arbitrary: fc.record({ do: fc.constant("take" as const), count: fc.integer({ min: 1, max: 5 }) }),
      },
      {
        weight: 4,
        arbitrary: fc.record({
          do: fc.constant("acknowledge" as const),
          count: fc.integer({ min: 0, max: 3 }),
        }),
      },
      {
        weight: 3,
        arbitrary: fc.record({ do: fc.constant("settle" as const), count: fc.integer({ min: 0, max: 3 }) }),
      },
      { weight: 2, arbitrary: fc.record({ do: fc.constant("confirm" as const), count: fc.constant(0) }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constant("kill" as const), count: fc.constant(0) }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constant("restart" as const), count: fc.constant(0) }) },
      {
        weight: 1,
        arbitrary: fc.record({ do: fc.constant("full" as const), count: fc.integer({ min: 0, max: 1 }) }),
      },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(command, { maxLength: 60 }), fc.integer(), async (commands, seed) => {
        const time = createVirtualTime();
        const disk = new FakeDisk(createSeededRandom(seed));
        let process = new Process(disk, time);
        let underWay: Batch<Item>[] = [];
        let next = 0;
        let lifeStart = 0;
        const durable = new Set<Item>();
        const settled = new Set<Item>();
        const count = (): void =>
          balanced(
            process,
            underWay.reduce((sum, { items: held }) => sum + held.length, 0),
          );
        for (const { do: what, count: n } of commands) {
          if (what === "put") for (let i = 0; i < n; i++) process.queue.put(next++);
          else if (what === "take") {
            const batch = process.queue.take({ items: n });
            if (batch !== undefined) {
              assert.deepEqual(
                batch.items,
                [...batch.items].sort((a, b) => a - b),
              );
              underWay.push(batch);
            }
          } else if (what === "acknowledge") {
            const [batch] = underWay.splice(n % Math.max(1, underWay.length), 1);
            if (batch !== undefined) {
              process.queue.acknowledge(batch, n === 0 ? "failed" : "delivered");
              for (const item of batch.items) settled.add(item);
            }
          } else if (what === "settle") await time.advanceAndSettle(n * 500);
          else if (what === "full") disk.full = n === 1;
          else if (what === "confirm" && !disk.full) {
            const accepted = next;
            await settle(time);
            await time.advanceAndSettle(2_000);
            const done = process.queue.whenDurable();
            if (done !== undefined) await Promise.race([done, settle(time).then(() => settle(time))]);
            await settle(time);
            // Only a life without drops tells which items are on the disk.
            if (process.queue.whenDurable() === undefined && process.drops.length === 0)
              for (let item = lifeStart; item < accepted; item++) durable.add(item);
          } else if (what === "kill" || what === "restart") {
            if (what === "restart" && !disk.full) {
              const closed = process.queue.close();
              await settle(time);
              await closed;
            } else disk.crash();
            underWay = [];
            lifeStart = next;
            process = new Process(disk, time);
            if (what === "kill") await settle(time);
          }
          count();
        }
        disk.full = false;
        await time.advanceAndSettle(3_000);
        await settle(time);
        for (const batch of underWay) {
          process.queue.acknowledge(batch, "delivered");
          for (const item of batch.items) settled.add(item);
        }
        underWay = [];
        const left = new Set(await process.takeAll(time));
        assert.equal(process.queue.size, 0);
        count();
        for (const item of durable)
          assert.ok(left.has(item) || settled.has(item), `${item} was durable, and is gone`);
      }),
      { numRuns: 300 },
    );
  });
});
