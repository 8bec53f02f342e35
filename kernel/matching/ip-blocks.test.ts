// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import fc from "fast-check";
import ipaddr from "ipaddr.js";
import { createAddressSet, parseBlock } from "./ip-blocks.ts";

function isIn(address: string, ...blocks: readonly string[]): boolean {
  return createAddressSet(blocks.map(parseBlock)).has(address);
}

describe("a set of addresses", () => {
  it("holds single addresses and blocks, of both families", () => {
    assert.ok(isIn("10.255.0.1", "192.0.2.7", "10.0.0.0/8"));
    assert.ok(isIn("192.0.2.7", "192.0.2.7", "10.0.0.0/8"));
    assert.ok(isIn("2001:db8:0:0::1", "2001:DB8::/32"));
    assert.ok(!isIn("11.0.0.1", "192.0.2.7", "10.0.0.0/8", "2001:db8::/32"));
    assert.ok(!isIn("2001:db9::1", "10.0.0.0/8", "2001:db8::/32"));
  });

  it("matches every address of its own family with /0", () => {
    assert.ok(isIn("203.0.113.9", "0.0.0.0/0"));
    assert.ok(!isIn("::1", "0.0.0.0/0"));
    assert.ok(isIn("::1", "::/0"));
    assert.ok(!isIn("203.0.113.9", "::/0"));
  });

  it("treats an IPv4-mapped address as the IPv4 address, in entries too", () => {
    assert.ok(isIn("::ffff:10.1.2.3", "10.0.0.0/8"));
    assert.ok(isIn("10.1.2.3", "::ffff:10.0.0.0/104"));
    assert.ok(isIn("::ffff:a01:203", "10.1.2.3"));
    assert.ok(!isIn("::10.1.2.3", "10.0.0.0/8"));
  });

  it("ignores bits beyond the prefix", () => {
    assert.ok(isIn("10.9.9.9", "10.1.2.3/8"));
  });

  it("agrees with ipaddr.js about any address and block", () => {
    fc.assert(
      fc.property(fc.ipV4(), fc.ipV4(), fc.integer({ min: 0, max: 32 }), (address, network, bits) => {
        const expected = ipaddr.IPv4.parse(address).match(ipaddr.IPv4.parse(network), bits);
        assert.equal(isIn(address, `${network}/${bits}`), expected);
      }),
      { numRuns: 300 },
    );
    const v6 = fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => [...bytes]);
    const flips = fc.integer({ min: 0, max: 127 });
    fc.assert(
      fc.property(v6, fc.integer({ min: 0, max: 128 }), flips, (network, bits, flip) => {
        const address = network.with(flip >> 3, (network[flip >> 3] as number) ^ (0x80 >> (flip & 7)));
        const [block, text] = [network, address].map((bytes) => ipaddr.fromByteArray(bytes).toString());
        assert.equal(isIn(text as string, `${block}/${bits}`), flip >= bits);
      }),
      { numRuns: 300 },
    );
  });
});
