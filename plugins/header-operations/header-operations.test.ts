// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { createHandlerHooks } from "../../core/hooks/hooks.ts";
import type { CheckAnswer } from "../sdk/index.ts";
import { createTestContext, describePluginContract } from "../sdk/testing/index.ts";
import { headerOperations } from "./index.ts";

const config = {
  request: [
    { operation: "set", name: "X-User", from: "user" },
    { operation: "append", name: "x-seen-by", value: "purser" },
    { operation: "remove", name: "cookie" },
  ],
  response: [{ operation: "set", name: "x-policy", value: "a" }],
};

describePluginContract(headerOperations, { config });

function build(config: Record<string, unknown>) {
  const hooks = createHandlerHooks();
  headerOperations.build(createTestContext(headerOperations, config)).apply(hooks);
  return {
    headers: (values: Record<string, string | undefined>): Promise<CheckAnswer | undefined> =>
      hooks.check.for("headers").promise({ name: "headers", values }),
    nothing: (): Promise<CheckAnswer | undefined> =>
      hooks.check.for("checknothing").promise({ name: "nothing" }),
  };
}

describe("the plugin header-operations", () => {
  it("answers OK with its operations in order, names in lower case", async () => {
    assert.deepEqual(await build(config).headers({ user: "ada" }), {
      status: { code: "OK", message: "" },
      validDurationMs: 10_000,
      validUseCount: 10_000,
      headers: {
        request: [
          { operation: "set", name: "x-user", value: "ada" },
          { operation: "append", name: "x-seen-by", value: "purser" },
          { operation: "remove", name: "cookie" },
        ],
        response: [{ operation: "set", name: "x-policy", value: "a" }],
      },
    });
  });

  it("skips an operation whose value is absent, including an inherited property", async () => {
    const plugin = build({ request: [{ operation: "set", name: "x-user", from: "toString" }] });
    assert.deepEqual((await plugin.headers({}))?.headers?.request, []);
    assert.deepEqual((await build(config).headers({ user: undefined }))?.headers?.request?.length, 2);
  });

  it("performs only constant operations for checknothing", async () => {
    assert.deepEqual(
      (await build(config).nothing())?.headers?.request?.map((operation) => operation.name),
      ["x-seen-by", "cookie"],
    );
  });

  it("keeps an empty value, which is not absent", async () => {
    const [operation] = (await build(config).headers({ user: "" }))?.headers?.request ?? [];
    assert.deepEqual(operation, { operation: "set", name: "x-user", value: "" });
  });

  for (const value of [
    "a\r\nx-admin: true",
    "a\nb",
    "a\u0000",
    "a\u007f",
    "half a pair \ud83d",
    "x".repeat(8193),
  ]) {
    it(`fails permanently instead of sending ${JSON.stringify(value.slice(0, 20))}`, async () => {
      await assert.rejects(build(config).headers({ user: value }), (error: Error & { code?: string }) => {
        assert.deepEqual(
          [error.code, (error as { retryable?: boolean }).retryable],
          ["PURSER_HANDLER_FAILED", false],
        );
        assert.ok(!error.message.includes(value), "the value itself stays out of logs");
        return true;
      });
    });
  }

  it("reports every wrong operation at once when it is built", () => {
    const request = [
      { operation: "set", name: "x-user" },
      { operation: "set", name: "x-user", value: "a", from: "user" },
      { operation: "remove", name: "x-user", value: "a" },
      { operation: "set", name: ":path", value: "/" },
      { operation: "set", name: "Transfer-Encoding", value: "chunked" },
      { operation: "set", name: "x user", value: "a" },
      { operation: "set", name: "x-user", value: "a\r\nb: c" },
      { operation: "set", name: "x-fine", value: "a" },
    ];
    assert.throws(
      () => build({ request, response: [{ operation: "set", name: "host", value: "evil" }] }),
      (error: Error & { code?: string }) => {
        assert.equal(error.code, "PURSER_HANDLER_BUILD");
        assert.deepEqual(
          error.message.split("; ").map((fault) => fault.slice(0, fault.indexOf(":"))),
          [...[0, 1, 2, 3, 4, 5, 6].map((index) => `request[${index}]`), "response[0]"],
        );
        return true;
      },
    );
  });
});
