// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import fc from "fast-check";
import ipaddr from "ipaddr.js";
import { CIDR_FUNCTIONS } from "./cidr.ts";

const cidr = CIDR_FUNCTIONS[0]?.implementation as unknown as (
  address: string,
  blocks: unknown,
) => boolean | undefined;

describe("$cidr", () => {
  it("agrees with ipaddr.js, for one block and for several", () => {
    const v4 = fc.ipV4().map((address) => ({ address, bits: 32 }));
    const v6 = fc
      .ipV6()
      .filter((text) => !text.includes("."))
      .map((address) => ({ address, bits: 128 }));
    const block = fc
      .tuple(fc.oneof(v4, v6), fc.nat())
      .map(([{ address, bits }, prefix]) => ({ address, bits: prefix % (bits + 1) }));
    fc.assert(
      fc.property(
        fc.oneof(v4, v6),
        fc.array(block, { minLength: 1, maxLength: 4 }),
        ({ address }, blocks) => {
          const parsed = ipaddr.process(address);
          const inBlock = blocks.map((candidate) => {
            const range = ipaddr.process(candidate.address);
            return range.kind() === parsed.kind() && parsed.match(range as never, candidate.bits);
          });
          const texts = blocks.map((candidate) => `${candidate.address}/${candidate.bits}`);
          assert.equal(cidr(address, texts), inBlock.includes(true));
          assert.equal(cidr(address, texts[0]), inBlock[0]);
          assert.equal(cidr(address, address), true);
        },
      ),
    );
  });

  it("treats an IPv4-mapped address as its IPv4 address", () => {
    assert.equal(cidr("::ffff:10.1.2.3", "10.0.0.0/8"), true);
    assert.equal(cidr("::ffff:a01:203", ["192.0.2.0/24", "10.0.0.0/8"]), true);
    assert.equal(cidr("10.1.2.3", "::ffff:10.0.0.0/104"), true);
    assert.equal(cidr("10.1.2.3", "::/0"), false);
  });

  it("is false for an empty list of blocks, and for text that is not an address", () => {
    assert.equal(cidr("10.0.0.1", []), false);
    for (const text of ["", "10.0.0", "010.0.0.1", "10.0.0.1/8", "localhost", "10.0.0.1:port", "１.2.3.4"])
      assert.equal(cidr(text, ["0.0.0.0/0", "::/0"]), false, text);
  });

  it("ignores the port of an address, as proxies write it", () => {
    assert.equal(cidr("10.0.0.1:80", "10.0.0.0/8"), true);
    assert.equal(cidr("[2001:DB8:0::1]:443", "2001:db8::/32"), true);
  });

  it("ignores the zone of an address (its interface)", () => {
    assert.equal(cidr("fe80::1%eth0", "fe80::/10"), true);
  });

  it("refuses malformed blocks at each call", () => {
    for (const blocks of [
      "",
      "10.0.0.0/33",
      "10.0.0.0/",
      "::/129",
      "10.0.0/8",
      "a",
      "10.0.0.0/8\n::/0",
      ["::/0", "x"],
      [7],
    ])
      for (const time of [1, 2])
        assert.throws(() => cidr("10.0.0.1", blocks), { code: "D4001" }, `${JSON.stringify(blocks)} ${time}`);
  });
});
