// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import type { AttributeBag } from "../../attributes/bag.ts";
import { ExpressionError } from "../expression.ts";
import { compileWithJsonata } from "../jsonata-engine.ts";
import { GATEWAY_FUNCTIONS } from "./functions.ts";

/** Something that each function which can be prepared can be prepared for. */
const CONSTANTS: Readonly<Record<string, unknown>> = {
  cidr: ["10.0.0.0/8", "::1"],
  glob: "/*",
  pathMatch: "/{id}",
  pathParams: "/{id}",
  semver: "^1.0.0",
};

async function valueOf(source: string, bag: AttributeBag = {}): Promise<unknown> {
  const result = compileWithJsonata(source);
  assert.ok(result.ok, result.ok ? "" : `${source}: ${result.fault.message}`);
  return result.expression.evaluate(bag, { nowMs: 0 });
}

describe("the functions of a gateway", () => {
  for (const { name, examples, parameters, implementation, prepare, signature } of GATEWAY_FUNCTIONS) {
    describe(`$${name}`, () => {
      it("gives what its examples say, in an expression", async () => {
        assert.ok(examples.length > 0);
        for (const { expression, result } of examples) {
          assert.ok(expression.includes(`$${name}(`), expression);
          assert.deepEqual(await valueOf(expression), result, expression);
        }
      });

      it("has the parameters that it is said to have", () => {
        assert.equal(implementation.length, parameters.length);
        const types = signature.slice(1, signature.indexOf(":")).replace(/\([a-z]+\)/g, "c");
        assert.equal(types.replace(/[-?]/g, "").length, parameters.length);
        assert.equal(types.endsWith("?"), parameters.at(-1)?.endsWith("?"));
      });

      it("has no value for an absent argument", async () => {
        const required = parameters.filter((parameter) => !parameter.endsWith("?"));
        assert.equal(await valueOf(`$${name}(${required.map(() => "absent").join(", ")})`), undefined);
      });

      it("is prepared for a constant, and for nothing else", async () => {
        const constant = CONSTANTS[name];
        assert.equal(prepare !== undefined, constant !== undefined);
        if (prepare === undefined || constant === undefined) return;
        const prepared = prepare([constant]) as (text?: string) => unknown;
        const called = implementation as (text: string, constant: unknown) => unknown;
        for (const text of ["/a", "/b/c", "1.2.3", "10.0.0.1", ""])
          assert.deepEqual(prepared(text), called(text, constant), text);
        assert.equal(prepared(undefined), undefined);
        for (const others of [[], [7], [undefined], [constant, constant]])
          assert.equal(prepare(others), undefined);
      });
    });
  }

  it("take the context for their first argument", async () => {
    assert.equal(await valueOf('request.path.$glob("/a/*")', { request: { path: "/a/b" } }), true);
  });

  it("report what is written wrongly with a code of their own and its place", async () => {
    await assert.rejects(valueOf('true and $cidr("10.0.0.1", "10.0.0.0/33")'), (error: unknown) => {
      assert.ok(error instanceof ExpressionError);
      assert.equal(error.code, "D4001");
      assert.match(error.message, /"10.0.0.0\/33" has the prefix length "33"/);
      return true;
    });
  });
});
