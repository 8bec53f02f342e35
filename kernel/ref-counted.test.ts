// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { RefCounted } from "./ref-counted.ts";

describe("a reference count", () => {
  it("calls back once, when the creator and every other user have released it", () => {
    let unused = 0;
    const shared = new RefCounted(() => unused++);
    shared.hold();
    shared.hold();
    shared.release();
    shared.release();
    assert.equal(unused, 0);
    shared.release();
    assert.equal(unused, 1);
  });

  it("calls back whoever releases last, the creator included", () => {
    let unused = 0;
    const shared = new RefCounted(() => unused++);
    shared.hold();
    shared.release();
    shared.release();
    assert.equal(unused, 1);
  });

  it("can neither be held nor released once nobody uses it", () => {
    let unused = 0;
    const shared = new RefCounted(() => unused++);
    shared.release();
    assert.throws(() => shared.hold());
    assert.throws(() => shared.release());
    assert.equal(unused, 1);
  });
});
