// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";

import { createVirtualTime } from "../../plugins/sdk/testing/index.ts";
import {
  cleanUp,
  clusterOf,
  configOf,
  endpointAt,
  httpUpstream,
  startProxy,
  until,
} from "../testing/harness.test.ts";
import { countedLookup } from "./counted-lookup.ts";
import type { NameLookup } from "./name-lookup.ts";

const CALL = { signal: new AbortController().signal } as Parameters<NameLookup>[1];

describe("counted lookups of names", () => {
  afterEach(cleanUp);

  it("tell the result and the duration, and answer as the lookup does", async () => {
    const time = createVirtualTime();
    const done: unknown[] = [];
    const lookUp = countedLookup(
      async (name) => {
        time.advance(name.length);
        if (name === "broken") throw new Error("SERVFAIL");
        return { addresses: name === "none" ? [] : ["10.0.0.1"], ttlMs: 1 };
      },
      time.clock,
      (...each) => done.push(each),
    );
    assert.deepEqual(await lookUp("a", CALL), { addresses: ["10.0.0.1"], ttlMs: 1 });
    assert.deepEqual((await lookUp("none", CALL)).addresses, []);
    await assert.rejects(lookUp("broken", CALL), /SERVFAIL/);
    assert.deepEqual(done, [
      ["success", 1],
      ["no_address", 4],
      ["failure", 6],
    ]);
  });

  it("are metrics of the proxy", async () => {
    const { port } = await httpUpstream((_incoming, outgoing) => outgoing.end());
    const endpoints = ["good.test", "bad.test"].map((address) =>
      endpointAt(port, { address, lookup: "all" }),
    );
    const { proxy } = await startProxy(configOf({ clusters: [clusterOf(endpoints)] }), {
      lookUp: async (name) => {
        if (name === "bad.test") throw new Error("REFUSED");
        return { addresses: ["127.0.0.1"], ttlMs: undefined };
      },
    });
    let metrics = "";
    await until(() => {
      void proxy.registry.metrics().then((text) => (metrics = text));
      return /purser_proxy_dns_lookups_total\{result="failure"\} 1/.test(metrics);
    });
    assert.match(metrics, /purser_proxy_dns_lookups_total\{result="success"\} 1\n/);
    assert.match(metrics, /purser_proxy_dns_lookup_duration_seconds_count 2\n/);
  });
});
