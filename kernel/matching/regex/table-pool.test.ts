// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { compileRegex, type Regex } from "../regex.ts";
import { takeRoom } from "./table-pool.ts";

describe("the tables of patterns", () => {
  it("are forgotten when those of one are too large, or those of all", () => {
    const holders = Array.from({ length: 200 }, () => ({
      held: 0,
      forget() {
        this.held = 0;
      },
    }));
    for (let round = 0; round < 40; round++)
      for (const holder of holders) {
        takeRoom(holder, 3_000);
        holder.held += 3_000;
        assert.ok(holder.held <= 100_000);
        assert.ok(holders.reduce((sum, { held }) => sum + held, 0) <= 4_000_000);
      }
  });

  it("may be forgotten at any time without a difference", () => {
    const compiled: Regex[] = [];
    for (let index = 0; index < 60; index++) {
      const result = compileRegex(`(?:a|b)*a.{${5 + (index % 10)}}${index % 2 === 0 ? "x" : "b"}$`);
      assert.ok(result.ok && result.regex.engine === "linear");
      compiled.push(result.regex);
    }
    const text = Array.from({ length: 200 }, (_, at) => ((at * at * 7919) % 13 < 6 ? "a" : "b")).join("");
    for (const tail of ["", "x", "b", "bb", "ab"])
      for (const regex of compiled) {
        assert.equal(regex.test(text + tail), new RegExp(regex.source).test(text + tail), regex.source);
        takeRoom({ forget: () => undefined }, 60_000);
      }
  });
});
