// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import fc from "fast-check";
import { createVirtualTime } from "../../plugins/sdk/testing/index.ts";
import {
  DEFAULT_PROXIES_PER_ADDRESS,
  GAP_MS,
  LINGER_MS,
  PROVE_MS,
  ConnectedProxies,
  SETTLE_MS,
} from "./connected-proxies.ts";

function start() {
  const time = createVirtualTime();
  let changes = 0;
  const uncounted: string[] = [];
  const proxies = new ConnectedProxies({
    scheduler: time.scheduler,
    onChange: () => changes++,
    onUncounted: (address) => uncounted.push(address),
  });
  return { time, proxies, uncounted, changes: () => changes };
}

const ADDRESS = "10.0.0.1";

describe("connected proxies", () => {
  it("counts a remote proxy once it has watched for a while, poll after poll", () => {
    const { time, proxies, changes } = start();
    for (let passedMs = 0; passedMs < PROVE_MS; passedMs += 500) {
      assert.equal(proxies.count, 0);
      const leave = proxies.join({ id: "edge", address: ADDRESS });
      time.advance(400);
      leave();
      time.advance(100);
    }
    assert.equal(proxies.count, 1);
    time.advance(SETTLE_MS);
    assert.equal(changes(), 1);
    time.advance(LINGER_MS);
    assert.equal(proxies.count, 0);
    assert.equal(changes(), 2);
    assert.equal(time.scheduled, 0);
  });

  it("counts a proxy in this process at once", () => {
    const { proxies } = start();
    proxies.join({ id: "edge" });
    assert.equal(proxies.count, 1);
  });

  it("never counts a caller that asks once, however often and under whatever name", () => {
    const { time, proxies, changes } = start();
    for (let attempt = 0; attempt < 1_000; attempt++) {
      proxies.join({ id: `x${attempt}`, address: `10.0.${attempt % 200}.1` })();
      time.advance(GAP_MS);
      assert.equal(proxies.count, 0);
    }
    assert.equal(changes(), 0);
    assert.equal(time.scheduled, 0);
  });

  it("limits the count per address or IPv6 network, in any notation of the address", () => {
    const sameNetwork = [
      ["10.0.0.1", "::ffff:10.0.0.1", "::ffff:a00:1"],
      ["2001:db8::1", "2001:db8::2", "2001:DB8:0:0:ffff::", "2001:0db8::ffff:1"],
    ];
    for (const addresses of sameNetwork) {
      const { time, proxies, uncounted } = start();
      const leaves = Array.from({ length: 100 }, (_, index) =>
        proxies.join({ id: `x${index}`, address: addresses[index % addresses.length] as string }),
      );
      const other = proxies.join({ id: "other", address: "2001:db8:0:1::1" });
      time.advance(PROVE_MS);
      assert.equal(proxies.count, DEFAULT_PROXIES_PER_ADDRESS + 1);
      assert.equal(uncounted.length, 100 - DEFAULT_PROXIES_PER_ADDRESS);
      for (const leave of leaves) leave();
      time.advance(LINGER_MS);
      assert.equal(proxies.count, 1);
      // The places are free again.
      proxies.join({ id: "next", address: addresses[0] as string });
      time.advance(PROVE_MS);
      assert.equal(proxies.count, 2);
      other();
      proxies.close();
      assert.equal(time.scheduled, 0);
    }
  });

  it("is exact for any sequence of joins and leaves", () => {
    const step = fc.record({
      proxy: fc.nat(5),
      join: fc.boolean(),
      waitMs: fc.constantFrom(0, GAP_MS - 1, GAP_MS, PROVE_MS, LINGER_MS - 1, LINGER_MS),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const { time, proxies } = start();
        const watches = new Map<number, (() => void)[]>();
        for (const { proxy, join, waitMs } of steps) {
          const held = watches.get(proxy) ?? [];
          watches.set(proxy, held);
          if (join) held.push(proxies.join({ id: `p${proxy}`, address: ADDRESS }));
          else held.pop()?.();
          time.advance(waitMs);
        }
        time.advance(LINGER_MS + PROVE_MS);
        const watching = [...watches.values()].filter((held) => held.length > 0).length;
        assert.equal(proxies.count, watching);
        for (const held of watches.values()) for (const leave of held) leave();
        time.advance(LINGER_MS + SETTLE_MS);
        assert.equal(proxies.count, 0);
        assert.equal(time.scheduled, 0);
      }),
    );
  });
});
