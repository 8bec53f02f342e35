// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import fc from "fast-check";
import { Counter, Histogram, Registry } from "prom-client";

import { RequestCounts } from "./request-counts.ts";

/** The lines of a registry in an order of their own. */
async function linesOf(registry: Registry): Promise<string[]> {
  return (await registry.metrics()).split("\n").sort();
}

describe("the counts of requests", () => {
  it("are exported as prom-client exports what it counts itself", async () => {
    const request = fc.record({
      listener: fc.constantFrom("edge", "inbound"),
      status: fc.option(fc.integer({ min: 100, max: 999 }), { nil: undefined }),
      flags: fc.constantFrom("-", "UF", "UF,URX", "DC"),
      durationMs: fc.option(fc.constantFrom(0, 1, 2.5, 3, 9_999, 10_000, 60_000)),
      tries: fc.nat(3),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(request, { maxLength: 20 }), async (requests) => {
        const ours = new Registry();
        const counts = new RequestCounts(ours);
        const theirs = new Registry();
        const registers = [theirs];
        const total = new Counter({
          name: "purser_proxy_requests_total",
          help: "Requests that are over, by listener, response code class and response flags.",
          labelNames: ["listener", "code_class", "flags"],
          registers,
        });
        const duration = new Histogram({
          name: "purser_proxy_request_duration_seconds",
          help: "From the request's arrival to the end of the response; upgraded connections are not in it.",
          labelNames: ["listener"],
          buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
          registers,
        });
        const tried = new Counter({
          name: "purser_proxy_upstream_tries_total",
          help: "Tries to send a request upstream, by cluster.",
          labelNames: ["cluster"],
          registers,
        });
        for (const { listener, status, flags, durationMs, tries } of requests) {
          const codeClass = status === undefined ? "none" : `${Math.floor(status / 100)}xx`;
          counts.countRequest(listener, status, flags);
          total.inc({ listener, code_class: codeClass, flags });
          if (durationMs !== null) {
            counts.observeDuration(listener, durationMs);
            duration.observe({ listener }, durationMs / 1000);
          }
          if (tries > 0) {
            counts.countTries("reviews", tries);
            tried.inc({ cluster: "reviews" }, tries);
          }
        }
        assert.deepEqual(await linesOf(ours), await linesOf(theirs));
        assert.deepEqual(await linesOf(ours), await linesOf(theirs), "the second scrape");
      }),
      { numRuns: 100 },
    );
  });
});
