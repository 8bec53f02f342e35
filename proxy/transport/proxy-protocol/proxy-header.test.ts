// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import fc from "fast-check";
import { canonicalAddress } from "../../../kernel/matching/ip-address.ts";
import type { ConnectionEnd } from "./header-result.ts";
import { readProxyHeader } from "./proxy-header.ts";
import { PROXY_PROTOCOL_VERSIONS, proxyHeaderOf } from "../../../test/support/proxy-header.ts";

const ip4 = fc.ipV4();
const ip6 = fc.ipV6().map((text) => canonicalAddress(text) as string);
const endOf = (ip: fc.Arbitrary<string>): fc.Arbitrary<ConnectionEnd> =>
  fc.record({ ip, port: fc.integer({ min: 0, max: 65_535 }) }, { noNullPrototype: true });
const isSix = (ip: string): boolean => ip.includes(":");

/** Version 2: signature, command, family, and a block of its declared length. */
const binary = (command: number, family: number, block: readonly number[], declared = block.length): Buffer =>
  Buffer.from([
    ...Buffer.from("\r\n\r\n\0\r\nQUIT\n", "latin1"),
    command,
    family,
    declared >> 8,
    declared & 0xff,
    ...block,
  ]);

describe("the PROXY protocol", () => {
  it("reads what it writes, at any cut, and leaves what follows", () => {
    const pair = fc.oneof(fc.tuple(endOf(ip4), endOf(ip4)), fc.tuple(endOf(ip6), endOf(ip6)));
    fc.assert(
      fc.property(fc.constantFrom(...PROXY_PROTOCOL_VERSIONS), pair, (version, [source, destination]) => {
        // An IPv6 address that stands for an IPv4 one is written as the latter.
        fc.pre(isSix(source.ip) === isSix(destination.ip));
        const written = proxyHeaderOf(version, source, destination);
        const bytes = Buffer.concat([written, Buffer.from("GET / HTTP/1.1\r\n")]);
        const expected = { length: written.byteLength, ends: { source, destination } };
        assert.deepEqual(readProxyHeader(bytes), { kind: "header", header: expected });
        for (let cut = 0; cut < written.byteLength; cut++)
          assert.deepEqual(readProxyHeader(written.subarray(0, cut)), { kind: "more" });
      }),
    );
  });

  it("speaks for itself when the addresses are of different families", () => {
    for (const version of PROXY_PROTOCOL_VERSIONS) {
      const written = proxyHeaderOf(version, { ip: "1.2.3.4", port: 1 }, { ip: "::1", port: 2 });
      assert.deepEqual(readProxyHeader(written), {
        kind: "header",
        header: { length: written.byteLength, ends: undefined },
      });
    }
  });

  for (const [what, bytes, length] of [
    ["UNKNOWN with anything behind it", Buffer.from("PROXY UNKNOWN ffff::1 whatever 1 2\r\n"), 36],
    ["a health check of the load balancer", binary(0x20, 0x00, []), 16],
    [
      "a health check with addresses",
      binary(
        0x20,
        0x11,
        Array.from({ length: 12 }, () => 1),
      ),
      28,
    ],
    [
      "datagrams",
      binary(
        0x21,
        0x12,
        Array.from({ length: 12 }, () => 1),
      ),
      28,
    ],
    [
      "sockets in files",
      binary(
        0x21,
        0x31,
        Array.from({ length: 216 }, () => 1),
      ),
      232,
    ],
  ] as const) {
    it(`keeps the connection's own addresses for ${what}`, () => {
      assert.deepEqual(readProxyHeader(bytes), { kind: "header", header: { length, ends: undefined } });
    });
  }

  it("skips the extensions of version 2", () => {
    const bytes = binary(0x21, 0x11, [10, 0, 0, 1, 10, 0, 0, 2, 0x1f, 0x90, 0, 80, 0x04, 0, 1, 0xff]);
    assert.deepEqual(readProxyHeader(bytes), {
      kind: "header",
      header: {
        length: 32,
        ends: { source: { ip: "10.0.0.1", port: 8080 }, destination: { ip: "10.0.0.2", port: 80 } },
      },
    });
  });

  for (const [what, bytes] of [
    ["HTTP", "GET / HTTP/1.1\r\n\r\n"],
    ["a TLS handshake", "\x16\x03\x01\x02\x00"],
    ["another case", "proxy TCP4 1.2.3.4 1.2.3.4 1 2\r\n"],
    ["an unknown family", "PROXY UDP4 1.2.3.4 1.2.3.4 1 2\r\n"],
    ["an address of the other family", "PROXY TCP4 ::1 1.2.3.4 1 2\r\n"],
    ["an IPv4 address as a number", "PROXY TCP4 16909060 1.2.3.4 1 2\r\n"],
    ["an IPv4 address with leading zeros", "PROXY TCP4 01.2.3.4 1.2.3.4 1 2\r\n"],
    ["a port with a leading zero", "PROXY TCP4 1.2.3.4 1.2.3.4 01 2\r\n"],
    ["a port that is too large", "PROXY TCP4 1.2.3.4 1.2.3.4 65536 2\r\n"],
    ["a missing port", "PROXY TCP4 1.2.3.4 1.2.3.4 1\r\n"],
    ["a further field", "PROXY TCP4 1.2.3.4 1.2.3.4 1 2 3\r\n"],
    ["two spaces", "PROXY TCP4  1.2.3.4 1.2.3.4 1 2\r\n"],
    ["a zone", "PROXY TCP6 fe80::1%eth0 ::1 1 2\r\n"],
    ["a bare line feed", `PROXY TCP4 1.2.3.4 1.2.3.4 1 2\n${"x".repeat(100)}`],
    ["no line end in 107 bytes", `PROXY UNKNOWN ${"x".repeat(100)}`],
    ["a wrong signature", "\r\n\r\n\0\r\nQUIX\n"],
  ] as const) {
    it(`refuses ${what}`, () => {
      assert.equal(readProxyHeader(Buffer.from(bytes, "latin1")).kind, "fault");
    });
  }

  for (const [what, bytes] of [
    [
      "version 1 in binary",
      binary(
        0x11,
        0x11,
        Array.from({ length: 12 }, () => 1),
      ),
    ],
    [
      "an unknown command",
      binary(
        0x22,
        0x11,
        Array.from({ length: 12 }, () => 1),
      ),
    ],
    [
      "addresses that are cut off",
      binary(
        0x21,
        0x21,
        Array.from({ length: 12 }, () => 1),
      ),
    ],
    ["more than 4 KiB, before it has come", binary(0x21, 0x11, [], 0xffff)],
  ] as const) {
    it(`refuses ${what}`, () => {
      assert.equal(readProxyHeader(bytes).kind, "fault");
    });
  }
});
