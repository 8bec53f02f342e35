// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { eventTime } from "./codec.ts";

describe("the time of an event", () => {
  const parts = (timeMs: number) => {
    const bytes = Buffer.from(eventTime(timeMs));
    return [bytes.readUInt32BE(0), bytes.readUInt32BE(4)];
  };

  it("has seconds and nanoseconds", () => {
    assert.deepEqual(parts(1_767_225_600_123.456), [1_767_225_600, 123_456_000]);
    assert.deepEqual(parts(1999.9999), [1, 999_999_000]);
  });

  it("is the epoch for an invalid time, and the nearest that the form holds", () => {
    for (const timeMs of [Number.NaN, Number.POSITIVE_INFINITY, -1]) assert.deepEqual(parts(timeMs), [0, 0]);
    assert.deepEqual(parts(1e20), [2 ** 32 - 1, 0]);
  });
});
