// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { parseH2load } from "./h2load.ts";

/** The output of h2load 1.52, with the size of all bodies. */
const output = (dataBytes: number, errored = 0): string => `starting benchmark...
Main benchmark duration is over for thread #0. Stopping all clients.

finished in 2.01s, 1500.50 req/s, 8.38MB/s
requests: 4 total, 6 started, 4 done, 4 succeeded, 0 failed, ${errored} errored, 0 timeout
status codes: 4 2xx, 0 3xx, 0 4xx, 0 5xx
traffic: 8.38MB (8783134) total, 2.14MB (2247804) headers (space savings 49.06%), 4.17MB (${dataBytes}) data
                     min         max         mean         sd        +/- sd
`;

const log = (...rows: readonly (readonly [status: number, us: number])[]): string =>
  rows.map(([status, us]) => `1795986076474311\t${status}\t${us}\n`).join("");

const FOUR = log([200, 400], [200, 1_000], [200, 2_000], [200, 9_000]);

describe("the load by h2load", () => {
  it("reads the rate of the output and the times of the log", () => {
    assert.deepEqual(parseH2load(output(420), FOUR, 105), {
      requestsPerSecond: 1_500.5,
      requests: 4,
      p50Ms: 1,
      p99Ms: 9,
      maxMs: 9,
      errors: 0,
    });
  });

  it("counts refused and broken requests as errors", () => {
    const rows = log([200, 400], [503, 1_000], [302, 2_000], [-1, 9_000]);
    assert.equal(parseH2load(output(420), rows, 105).errors, 2);
  });

  it("counts an answer without its body as an error, as that of a failed gRPC call", () => {
    assert.equal(parseH2load(output(315), FOUR, 105).errors, 1);
    assert.equal(parseH2load(output(0), FOUR, 105).errors, 4);
  });

  it("makes no better of the bodies of requests that were under way at the end", () => {
    assert.equal(parseH2load(output(900), FOUR, 105).errors, 0);
  });

  it("counts requests of which the log says nothing", () => {
    assert.equal(parseH2load(output(420, 3), FOUR, 105).errors, 3);
    assert.equal(parseH2load(output(0, 64), "", 105).errors, 64);
  });

  it("says what h2load printed when there are no figures", () => {
    assert.throws(() => parseH2load("Could not connect\n", "", 105), /no figures: Could not connect/);
  });
});
