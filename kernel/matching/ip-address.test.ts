// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { isIP } from "node:net";
import fc from "fast-check";
import { canonicalAddress } from "./ip-address.ts";

describe("the canonical text of an IP address", () => {
  it("is the same for every spelling", () => {
    for (const [canonical, ...spellings] of [
      [
        "203.0.113.5",
        "203.0.113.5:4711",
        "::ffff:203.0.113.5",
        "::FFFF:cb00:7105",
        "[::ffff:203.0.113.5]:80",
      ],
      ["2001:db8::1", "2001:DB8::1", "2001:0db8:0:0:0:0:0:1", "[2001:db8::1]", "[2001:DB8:0::1]:443"],
      ["fe80::1", "fe80::1%eth0", "FE80:0::1%2"],
      ["::102:304", "::1.2.3.4", "0:0:0:0:0:0:1.2.3.4"],
      ["64:ff9b::c000:221", "64:ff9b::192.0.2.33"],
      ["0.0.0.0", "::ffff:0:0"],
      ["::"],
    ] as const) {
      for (const text of [canonical, ...spellings]) assert.equal(canonicalAddress(text), canonical, text);
    }
  });

  it("is undefined for forms that parsers disagree about, and for text that is not an address", () => {
    for (const text of [
      "",
      "unknown",
      "_hidden",
      "010.0.0.1",
      "10.0.1",
      "0x7f.0.0.1",
      "2130706433",
      "10.0.0.256",
      "10.0.0.1:",
      "10.0.0.1:port",
      "10.0.0.1.",
      " 10.0.0.1",
      "1::2::3",
      "[10.0.0.1",
      "::ffff:010.0.0.1",
      "12345::1",
      "[]:80",
    ])
      assert.equal(canonicalAddress(text), undefined, text);
  });

  it("is idempotent, and an address to node:net too", () => {
    const address = fc.oneof(
      fc.ipV4(),
      fc.ipV6(),
      fc.ipV4().map((v4) => `::ffff:${v4}`),
    );
    fc.assert(
      fc.property(address, fc.constantFrom("", ":80"), (written, port) => {
        const canonical = canonicalAddress(
          port === "" || !written.includes(":") ? written + port : `[${written}]${port}`,
        );
        assert.ok(canonical !== undefined && isIP(canonical) !== 0, written);
        assert.equal(canonicalAddress(canonical), canonical);
        assert.equal(canonicalAddress(written.toUpperCase()), canonical);
      }),
    );
  });
});
