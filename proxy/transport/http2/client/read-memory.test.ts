// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import fc from "fast-check";

import { ReadMemory } from "./read-memory.ts";

describe("ReadMemory", () => {
  it("keeps what was read as it was, whatever connections read later", () => {
    const read = fc.record({ connection: fc.nat(2), length: fc.oneof(fc.nat(100), fc.nat(65_536)) });
    fc.assert(
      fc.property(fc.array(read, { maxLength: 20 }), (reads) => {
        const memories = [new ReadMemory(), new ReadMemory(), new ReadMemory()];
        const taken: Buffer[] = [];
        for (const [index, { connection, length }] of reads.entries()) {
          const memory = memories[connection] as ReadMemory;
          const bytes = memory.next();
          bytes.fill(index, 0, length);
          taken.push(memory.take(length, bytes));
        }
        for (const [index, { length }] of reads.entries())
          assert.deepEqual(taken[index], Buffer.alloc(length, index));
      }),
      { numRuns: 100 },
    );
  });

  it("hands on many bytes without a copy, from the second read on", () => {
    const memory = new ReadMemory();
    memory.take(65_536, memory.next());
    const bytes = memory.next();
    assert.equal(memory.take(65_536, bytes).buffer, bytes.buffer);
    assert.notEqual(memory.next(), bytes);
  });
});
