// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { agree, meetsCase } from "./judge.ts";
import { prepareOurs, prepareReference } from "./outcome.ts";

describe("the judge of suite cases", () => {
  const outcomeOf = (source: string, input?: unknown) => prepareOurs(source).run(input, {});

  it("distinguishes a value from another, from an absent value and from a failure", async () => {
    const outcome = await outcomeOf("[1, 2]");
    assert.ok(meetsCase(outcome, { result: [1, 2] }));
    assert.ok(!meetsCase(outcome, { result: [2, 1] }));
    assert.ok(meetsCase(outcome, { result: [2, 1], unordered: true }));
    assert.ok(!meetsCase(outcome, { result: [2, 2], unordered: true }));
    assert.ok(!meetsCase(outcome, { undefinedResult: true }));
    assert.ok(!meetsCase(outcome, { code: "T2001" }));
    assert.ok(meetsCase(await outcomeOf("nothing", {}), { undefinedResult: true }));
    assert.ok(!meetsCase(await outcomeOf("null"), { undefinedResult: true }));
  });

  it("distinguishes failures by code, token and other fields", async () => {
    const outcome = await outcomeOf("1 + 'a'");
    assert.ok(meetsCase(outcome, { code: "T2002" }));
    assert.ok(meetsCase(outcome, { code: "T2002", token: "+" }));
    assert.ok(!meetsCase(outcome, { code: "T2001" }));
    assert.ok(!meetsCase(outcome, { code: "T2002", token: "-" }));
    const raised = await outcomeOf("$error('no')");
    assert.ok(meetsCase(raised, { error: { code: "D3137", message: "no" } }));
    assert.ok(!meetsCase(raised, { error: { code: "D3137", message: "yes" } }));
  });

  it("accepts either guard for the suite's single guard code", async () => {
    const outcome = await prepareOurs("($f := function(){1 + $f()}; $f())", { depth: 50 }).run({}, {});
    assert.ok(meetsCase(outcome, { code: "U1001" }));
    assert.ok(!meetsCase(await outcomeOf("1 + 'a'"), { code: "U1001" }));
  });

  it("refuses a case without an expectation", async () => {
    const outcome = await outcomeOf("1");
    assert.throws(() => meetsCase(outcome, { expr: "1" }), /expects nothing/);
  });

  it("detects engines that differ", async () => {
    const theirs = (source: string) => prepareReference(source).run({}, {});
    const [one, two] = [await theirs("1"), await theirs("2")];
    const [plus, minus] = [await theirs("1+''"), await theirs("-''")];
    assert.ok(agree(one, one) && agree(plus, plus));
    assert.ok(!agree(one, two) && !agree(one, plus) && !agree(plus, one) && !agree(plus, minus));
  });
});
