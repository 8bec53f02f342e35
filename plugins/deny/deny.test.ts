// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { createHandlerHooks } from "../../core/hooks/hooks.ts";
import type { CheckAnswer } from "../sdk/index.ts";
import { createTestContext, describePluginContract, sampleInstances } from "../sdk/testing/index.ts";
import { deny } from "./index.ts";

describePluginContract(deny);

async function ask(template: "checknothing" | "listentry", config = {}): Promise<CheckAnswer | undefined> {
  const hooks = createHandlerHooks();
  deny.build(createTestContext(deny, config)).apply(hooks);
  return await hooks.check.for(template).promise(sampleInstances()[template]);
}

describe("the plugin deny", () => {
  it("refuses every instance, with a validity for caching", async () => {
    for (const template of ["checknothing", "listentry"] as const) {
      assert.deepEqual(await ask(template), {
        status: { code: "PERMISSION_DENIED", message: "denied" },
        validDurationMs: 10_000,
        validUseCount: 10_000,
      });
    }
  });

  it("answers with the configured reply", async () => {
    const status = { code: "UNAVAILABLE", message: "closed for stocktaking" };
    const directResponse = { code: 503, body: "back at nine" };
    assert.deepEqual(
      await ask("checknothing", { status, directResponse, validDuration: "0s", validUseCount: 1 }),
      {
        status,
        directResponse: { httpStatus: 503, headers: {}, body: "back at nine" },
        validDurationMs: 0,
        validUseCount: 1,
      },
    );
  });

  it("reports every invalid header of the reply when it is built", () => {
    const headers = { "Content-Length": "3", "x y": "1", "x-a": "1\n2", "x-b": "日本" };
    assert.throws(
      () => deny.build(createTestContext(deny, { directResponse: { code: 403, headers } })),
      (error: Error & { code?: string }) => {
        assert.equal(error.code, "PURSER_HANDLER_BUILD");
        assert.match(error.message, /Content-Length.*; .*"x y" is not a header name; .*The value of x-a/);
        assert.ok(!error.message.includes("x-b"));
        return true;
      },
    );
  });

  it("cannot be configured to allow", () => {
    const config = { status: { code: "OK" } };
    assert.throws(() => createTestContext(deny, config), /config\.status\.code must be .*not "OK"/);
  });
});
