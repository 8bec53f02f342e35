// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { RegExpParser } from "@eslint-community/regexpp";
import { literalPrefixOf } from "./literal-prefix.ts";

describe("the text that every match begins with", () => {
  it("ends before a group with flags of its own", () => {
    const parser = new RegExpParser({ ecmaVersion: 2025 });
    for (const [pattern, prefix] of [
      ["^/a(?i:b)c", "/a"],
      ["^(?:/a)(?-i:b)", "/a"],
      ["^(?:/a)b", "/ab"],
    ] as const)
      assert.equal(literalPrefixOf(parser.parsePattern(pattern), ""), prefix, pattern);
  });
});
