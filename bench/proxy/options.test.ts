// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { CONTENDERS } from "./contenders/index.ts";
import { HELP, parseFlags } from "./options.ts";

describe("the options of bench:proxy", () => {
  it("measures everything with this Node.js unless told otherwise", () => {
    const flags = parseFlags([]);
    assert.deepEqual(
      flags.only,
      CONTENDERS.map(({ name }) => name),
    );
    assert.deepEqual(flags.workloads, ["get-100", "get-1k", "get-64k", "post-1k"]);
    assert.equal(flags.node, process.execPath);
  });

  it("takes names by commas", () => {
    const flags = parseFlags(["--only", "nginx, purser-full", "--workload=get-1k", "--rounds", "1"]);
    assert.deepEqual(flags.only, ["nginx", "purser-full"]);
    assert.deepEqual(flags.workloads, ["get-1k"]);
    assert.equal(flags.rounds, 1);
  });

  for (const [args, message] of [
    [["--only", "ngnix"], /--only: there is no ngnix; choose from direct, nginx/],
    [["--only", ""], /--only: there is no empty name/],
    [["--workload", "get"], /--workload: there is no get; choose from get-100/],
    [["--rounds", "0"], /--rounds must be a whole number from 1 to 50, not 0/],
    [["--seconds", "1.5"], /--seconds must be a whole number from 1 to 60, not 1.5/],
    [["--warm-up", "0"], /--warm-up must be a whole number from 1 to 60, not 0/],
    [["--fast"], /--fast/],
  ] as const) {
    it(`refuses ${args.join(" ")}`, () => {
      assert.throws(() => parseFlags(args), message);
    });
  }

  it("names every contender in its help", () => {
    for (const { name, summary } of CONTENDERS)
      assert.ok(HELP.includes(name) && HELP.includes(summary), name);
  });
});
