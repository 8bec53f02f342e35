// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import fc from "fast-check";
import ipaddr from "ipaddr.js";
import { addressPrefix } from "./address-prefix.ts";
import { canonicalAddress } from "./ip-address.ts";
import { createAddressSet, parseBlock } from "./ip-blocks.ts";

describe("the prefix of an address", () => {
  const CASES: readonly (readonly [address: string, v4Bits: number, v6Bits: number, prefix: string])[] = [
    ["192.0.2.77", 24, 64, "192.0.2.0/24"],
    ["192.0.2.77", 32, 64, "192.0.2.77/32"],
    ["192.0.2.77", 27, 64, "192.0.2.64/27"],
    ["192.0.2.77", 0, 64, "0.0.0.0/0"],
    ["192.0.2.77:4711", 24, 64, "192.0.2.0/24"],
    ["::ffff:192.0.2.77", 24, 64, "192.0.2.0/24"],
    ["::ffff:c000:24d", 24, 64, "192.0.2.0/24"],
    ["2001:DB8:0:0:1:2:3:4", 24, 64, "2001:db8::/64"],
    ["2001:db8:abcd:12ff::1", 24, 56, "2001:db8:abcd:1200::/56"],
    ["2001:db8:0:1::1", 24, 61, "2001:db8::/61"],
    ["[2001:db8::1]:443", 24, 128, "2001:db8::1/128"],
    ["fe80::1%eth0", 24, 10, "fe80::/10"],
    ["2001:db8::1", 24, 0, "::/0"],
  ];
  for (const [address, v4Bits, v6Bits, prefix] of CASES)
    it(`is ${prefix} for ${address}`, () => {
      assert.equal(addressPrefix(address, v4Bits, v6Bits), prefix);
    });

  it("is undefined for text that is not an address", () => {
    for (const text of ["", ":", "::1::", ":1", "1:", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "12345::", "g::"])
      assert.equal(addressPrefix(text, 24, 64), undefined, text);
    for (const text of [
      "unknown",
      "10.0.0",
      "010.0.0.1",
      "10.0.0.1/8",
      "1:2:3:4:5:6:7:8::",
      "_hidden",
      "1:::2",
    ])
      assert.equal(addressPrefix(text, 24, 64), undefined, text);
  });

  const address = fc.oneof(
    fc.ipV4(),
    fc.ipV6().filter((text) => !text.includes(".")),
  );

  it("of full length is the canonical address, for any text", () => {
    const nearly = fc.string({ unit: fc.constantFrom(..."01fF:.%g".split("")), maxLength: 24 });
    const sparse = fc
      .array(fc.constantFrom("0", "0", "0", "1", "ffff", "ab"), { minLength: 8, maxLength: 8 })
      .map((groups) => groups.join(":"));
    fc.assert(
      fc.property(fc.oneof(address, nearly, sparse), (text) => {
        const canonical = canonicalAddress(text);
        const bits = canonical?.includes(":") === true ? 128 : 32;
        assert.equal(
          addressPrefix(text, 32, 128),
          canonical === undefined ? undefined : `${canonical}/${bits}`,
        );
      }),
      { numRuns: 2_000 },
    );
  });

  it("is a block with the address in it, and the same for every address of the block", () => {
    fc.assert(
      fc.property(address, fc.nat(32), fc.nat(128), (text, v4Bits, v6Bits) => {
        const prefix = addressPrefix(text, v4Bits, v6Bits) as string;
        assert.ok(createAddressSet([parseBlock(prefix)]).has(text));
        const [network = ""] = prefix.split("/");
        assert.equal(addressPrefix(network, v4Bits, v6Bits), prefix);
        const [first] = ipaddr.parseCIDR(prefix);
        assert.equal(addressPrefix(first.toString(), v4Bits, v6Bits), prefix);
      }),
    );
  });
});
