// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { oversized } from "./byte-limit.ts";

describe("the byte limit of a request", () => {
  const limit = { maxBytes: 20, frameBytes: 2 };

  it("takes a batch of exactly the limit, and refuses one byte more", () => {
    assert.deepEqual(oversized([8, 9], limit), []);
    assert.throws(() => oversized([9, 9], limit), {
      code: "PURSER_REQUEST_TOO_LARGE",
      message: "2 instances take 21 bytes, more than the 20 bytes of a request",
    });
  });

  it("takes an instance of exactly the limit, and refuses a larger one for good", () => {
    assert.deepEqual(oversized([18], limit), []);
    const refused = oversized([3, 19, 3], limit);
    assert.deepEqual(
      refused.map(({ index, error }) => [index, (error as { retryable?: unknown }).retryable]),
      [[1, false]],
    );
  });

  it("refuses nothing of an empty batch, and every instance that is too large", () => {
    assert.deepEqual(oversized([], limit), []);
    assert.equal(oversized([30, 30], limit).length, 2);
  });
});
