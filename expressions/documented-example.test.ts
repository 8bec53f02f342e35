// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { compile } from "./index.ts";

describe("docs/reference/expressions.md", () => {
  it("shows the results that its example gives", () => {
    const page = readFileSync("docs/reference/expressions.md", "utf8");
    const example = /```ts\n(.*?)```/s.exec(page)?.[1] ?? "";
    const source = /compile\('(.*)'\)/.exec(example)?.[1] ?? "";
    const [, input = "", expected = ""] = /evaluate\((.*)\); \/\/ (\w+)/.exec(example) ?? [];
    const given = JSON.parse(input.replaceAll(/(\w+):/g, '"$1":')) as unknown;
    assert.equal(String(compile(source).evaluate(given)), expected);
  });
});
