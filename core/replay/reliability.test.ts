// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import type { AttributeReference } from "../../expressions/runtime/reads/reference.ts";
import { unreliableReads } from "./reliability.ts";

const LINE = { redacted: ["request.headers.cookie"], hashed: ["request.api_key"], cut: [] };

const reads = (condition: AttributeReference["condition"], ...path: readonly string[]) =>
  unreliableReads([{ path, condition }], LINE).map(({ attribute, reason }) => `${reason} ${attribute}`);

describe("an unreliable read", () => {
  it("is a read of a redacted, hashed or cut attribute, or of an object that contains it", () => {
    assert.deepEqual(reads("EXACT", "request", "headers", "cookie"), ["redacted request.headers.cookie"]);
    assert.deepEqual(reads("EXACT", "request", "headers"), ["redacted request.headers.cookie"]);
    assert.deepEqual(reads("EXACT", "request", "api_key"), ["hashed request.api_key"]);
  });

  it("is no other read", () => {
    assert.deepEqual(reads("EXACT", "request", "headers", "cookie2"), []);
    assert.deepEqual(reads("EXACT", "request", "head"), []);
    assert.deepEqual(reads("PRESENCE", "request", "headers"), []);
    assert.deepEqual(reads("ABSENCE", "request", "headers", "cookie"), []);
  });
});
