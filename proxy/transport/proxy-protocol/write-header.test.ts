// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import fc from "fast-check";

import { canonicalAddress } from "../../../kernel/matching/ip-address.ts";
import { readProxyHeader } from "./proxy-header.ts";
import { writeProxyHeader } from "./write-header.ts";

describe("a written header of the PROXY protocol", () => {
  const address = fc.oneof(fc.ipV4(), fc.ipV6()).map((text) => canonicalAddress(text) as string);
  const port = fc.integer({ min: 0, max: 65_535 });

  it("is read as the ends that it was written for, in both versions and families", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(1 as const, 2 as const),
        fc.record({ remoteIp: address, remotePort: port, localIp: address, localPort: port }),
        (version, ends) => {
          const bytes = writeProxyHeader(version, ends);
          const read = readProxyHeader(bytes);
          assert.ok(read.kind === "header", read.kind);
          assert.equal(read.header.length, bytes.byteLength);
          assert.deepEqual(read.header.ends, {
            source: { ip: ends.remoteIp, port: ends.remotePort },
            destination: { ip: ends.localIp, port: ends.localPort },
          });
        },
      ),
    );
  });

  it("says that the proxy speaks for itself when there are no ends", () => {
    const gone = { remoteIp: "", remotePort: 0, localIp: "", localPort: 0 };
    for (const ends of [undefined, gone]) {
      assert.equal(writeProxyHeader(1, ends).toString(), "PROXY UNKNOWN\r\n");
      const read = readProxyHeader(writeProxyHeader(2, ends));
      assert.deepEqual(read, { kind: "header", header: { length: 16, ends: undefined } });
    }
  });

  it("has the bytes of the specification's examples", () => {
    const ends = { remoteIp: "192.0.2.1", remotePort: 56_324, localIp: "198.51.100.1", localPort: 443 };
    assert.equal(writeProxyHeader(1, ends).toString(), "PROXY TCP4 192.0.2.1 198.51.100.1 56324 443\r\n");
    assert.equal(
      writeProxyHeader(2, ends).toString("hex"),
      "0d0a0d0a000d0a515549540a2111000cc0000201c6336401dc0401bb",
    );
  });
});
