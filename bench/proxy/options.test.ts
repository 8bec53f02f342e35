// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { CONTENDERS } from "./contenders/index.ts";
import { HELP, parseFlags } from "./options.ts";
import { PROTOCOLS } from "./protocol.ts";

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

  it("measures with a protocol what that protocol can", () => {
    assert.equal(parseFlags([]).protocol.name, "http1");
    const { protocol, only, workloads, seconds } = parseFlags(["--protocol", "grpc"]);
    assert.equal(protocol.name, "grpc");
    assert.deepEqual(only, ["direct", "nginx", "envoy", "purser", "purser-full"]);
    assert.deepEqual(workloads, ["unary"]);
    assert.equal(seconds, 3);
  });

  it("knows the contenders and the judged workload of each protocol", () => {
    const names = CONTENDERS.map(({ name }) => name);
    for (const { name, contenders = names, workloads, judged, bars } of PROTOCOLS) {
      for (const each of [...contenders, ...Object.keys(bars.ratios)]) assert.ok(names.includes(each), each);
      assert.ok(
        workloads.some((workload) => workload.name === judged),
        name,
      );
    }
  });

  for (const [args, message] of [
    [["--protocol", "http3"], /--protocol: there is no http3; choose from http1, https, h2, grpc/],
    [["--protocol", ""], /--protocol: there is no empty name/],
    [["--protocol", "h2", "--only", "haproxy"], /--only: there is no haproxy with h2; choose from nginx/],
    [
      ["--protocol", "grpc", "--workload", "get-1k"],
      /--workload: there is no get-1k with grpc; choose from unary/,
    ],
    [["--only", "ngnix"], /--only: there is no ngnix with http1; choose from direct, nginx/],
    [["--only", ""], /--only: there is no empty name/],
    [["--workload", "get"], /--workload: there is no get with http1; choose from get-100/],
    [["--rounds", "0"], /--rounds must be a whole number from 1 to 50, not 0/],
    [["--seconds", "1.5"], /--seconds must be a whole number from 1 to 60, not 1.5/],
    [["--warm-up", "0"], /--warm-up must be a whole number from 1 to 60, not 0/],
    [["--fast"], /--fast/],
  ] as const) {
    it(`refuses ${args.join(" ")}`, () => {
      assert.throws(() => parseFlags(args), message);
    });
  }

  it("names every contender and protocol in its help", () => {
    for (const { name, summary } of PROTOCOLS)
      assert.ok(HELP.includes(`${name} `) && HELP.includes(summary), name);
    for (const { name, summary } of CONTENDERS)
      assert.ok(HELP.includes(name) && HELP.includes(summary), name);
  });
});
