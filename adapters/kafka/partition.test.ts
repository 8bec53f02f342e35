// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import fc from "fast-check";
import kafkajs from "kafkajs";
import { partitionOfKey } from "./partition.ts";

describe("the partition of a key", () => {
  it("is the one that Kafka's default partitioner chooses, for any text", () => {
    const reference = kafkajs.Partitioners.DefaultPartitioner();
    fc.assert(
      fc.property(
        fc.string({ unit: "binary", minLength: 1 }),
        fc.integer({ min: 1, max: 100 }),
        (key, count) => {
          const partitionMetadata = Array.from({ length: count }, (_, partitionId) => ({
            partitionErrorCode: 0,
            partitionId,
            leader: 1,
            replicas: [1],
            isr: [1],
          }));
          const expected = reference({ topic: "t", partitionMetadata, message: { key, value: "" } });
          assert.equal(partitionOfKey(key, count), expected);
        },
      ),
      { numRuns: 500 },
    );
  });
});
