// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fc from "fast-check";
import { type Linked, LinkedList, UNLISTED } from "./linked-list.ts";

interface Item extends Linked<Item> {
  readonly id: number;
}

describe("LinkedList", () => {
  it("has what an array has, whatever comes and goes", () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constantFrom("push", "first", "last") }),
      fc.record({ kind: fc.constant("remove"), at: fc.nat({ max: 12 }) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
        const list = new LinkedList<Item>();
        const model: Item[] = [];
        const made: Item[] = [];
        for (const [id, each] of steps.entries()) {
          if (each.kind === "push") {
            const item = { ...UNLISTED, id };
            made.push(item);
            model.push(item);
            list.pushLast(item);
          } else if (each.kind === "first") assert.equal(list.takeFirst(), model.shift());
          else if (each.kind === "last") assert.equal(list.takeLast(), model.pop());
          else {
            const item = made["at" in each ? each.at : 0];
            if (item === undefined) continue;
            list.remove(item);
            if (model.includes(item)) model.splice(model.indexOf(item), 1);
          }
          assert.deepEqual([...list], model);
          assert.equal(list.size, model.length);
          assert.equal(list.first, model[0]);
          for (const item of made) assert.equal(item.isListed, model.includes(item));
        }
      }),
    );
  });

  it("lets the item that was given last be removed", () => {
    const list = new LinkedList<Item>();
    for (const id of [1, 2, 3]) list.pushLast({ ...UNLISTED, id });
    const seen: number[] = [];
    for (const item of list) {
      seen.push(item.id);
      list.remove(item);
    }
    assert.deepEqual(seen, [1, 2, 3]);
    assert.equal(list.size, 0);
  });

  it("lets a collection of the young generation free what has left, also after a full collection", () => {
    // A process of its own, in which nothing else is collected.
    const program = `
      import { LinkedList, UNLISTED } from ${JSON.stringify(new URL("linked-list.ts", import.meta.url).href)};
      const list = new LinkedList();
      const add = (id) => list.pushLast({ ...UNLISTED, load: Array.from({ length: 100 }, () => ({ id })) });
      for (let id = 0; id < 8; id++) add(id);
      // The items are in the old space now.
      gc();
      gc();
      const before = process.memoryUsage().heapUsed;
      for (let id = 8; id < 2_000; id++) {
        list.takeFirst();
        add(id);
      }
      gc({ type: "minor" });
      gc({ type: "minor" });
      console.log(process.memoryUsage().heapUsed - before);`;
    const flags = ["--expose-gc", "--import=tsx", "--input-type=module", "--eval", program];
    const grownBytes = Number(execFileSync(process.execPath, flags, { encoding: "utf8" }));
    // The items that have left had 8 MB. A Set would hold 7 MB of them.
    assert.ok(grownBytes < 1_000_000, `the heap has grown by ${grownBytes} bytes`);
  });
});
