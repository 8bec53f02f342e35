// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { createTestContext } from "../../plugins/sdk/testing/index.ts";
import { stackdriver } from "./index.ts";

describe("the configuration of stackdriver", () => {
  const faults = (config: Readonly<Record<string, unknown>>): readonly string[] => {
    const context = createTestContext(stackdriver, { project: "demo", ...config });
    return (stackdriver.check?.(context.config) ?? []).map(({ path }) => path.join("."));
  };

  it("is complete with a project alone", () => {
    assert.deepEqual(faults({}), []);
    assert.throws(() => createTestContext(stackdriver, {}), /project/);
    assert.throws(() => createTestContext(stackdriver, { project: "a/b" }), /project/);
  });

  it("finds fields that exclude or need each other, and durations that are too short", () => {
    assert.deepEqual(faults({ credentials: "key" }), ["credentials"]);
    assert.deepEqual(faults({ credentials: "key", key: "{}", keyFile: "k" }), ["keyFile"]);
    assert.deepEqual(faults({ key: "{}", keyFile: "k" }), ["key", "keyFile"]);
    assert.deepEqual(faults({ credentials: "key", keyFile: "k" }), []);
    assert.deepEqual(faults({ interval: "4s", expireAfter: "0s", timeout: "0s" }), [
      "interval",
      "expireAfter",
      "timeout",
    ]);
    assert.deepEqual(faults({ interval: "5s" }), []);
  });
});
