// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { type AddressInfo, createServer } from "node:net";
import { connect } from "node:tls";
import fc from "fast-check";

import { readClientHello } from "./client-hello.ts";

/** The first message of Node's own TLS client. */
async function helloOf(servername: string | undefined): Promise<Buffer> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const received = new Promise<Buffer>((resolve) => {
    server.once("connection", (socket) => {
      socket.on("error", () => {});
      socket.once("data", (bytes) => {
        resolve(bytes);
        socket.destroy();
        server.close();
      });
    });
  });
  const client = connect({
    port,
    host: "127.0.0.1",
    ...(servername === undefined ? {} : { servername }),
    rejectUnauthorized: false,
  });
  client.on("error", () => {});
  return received;
}

/** The same message in records of the given sizes, and the rest in one. */
function inRecords(hello: Buffer, sizes: readonly number[]): Buffer {
  const message = hello.subarray(5);
  const records: Buffer[] = [];
  let offset = 0;
  for (const size of [...sizes, message.length]) {
    const part = message.subarray(offset, offset + size);
    if (part.length === 0) break;
    const head = Buffer.from([22, 3, 1, 0, 0]);
    head.writeUInt16BE(part.length, 3);
    records.push(head, part);
    offset += size;
  }
  return Buffer.concat(records);
}

describe("the ClientHello", () => {
  let named: Buffer;
  let nameless: Buffer;
  before(async () => {
    named = await helloOf("Shop.Example.com");
    nameless = await helloOf(undefined);
  });

  it("has the server name, in lower case, or none", () => {
    assert.deepEqual(readClientHello(named), { serverName: "shop.example.com" });
    assert.deepEqual(readClientHello(nameless), { serverName: undefined });
  });

  it("is the same however it is spread over reads and records", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 80 }), { maxLength: 12 }), fc.nat(), (sizes, cutAt) => {
        const bytes = inRecords(named, sizes);
        assert.deepEqual(readClientHello(bytes), { serverName: "shop.example.com" });
        assert.equal(readClientHello(bytes.subarray(0, cutAt % bytes.length)), "partial");
        assert.deepEqual(readClientHello(Buffer.concat([bytes, Buffer.from("more")])), {
          serverName: "shop.example.com",
        });
      }),
    );
  });

  it("ends with an answer whatever bytes come, and never throws", () => {
    const change = fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 }));
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 6 }), (changes) => {
        const bytes = Buffer.from(named);
        for (const [at, value] of changes) bytes[at % bytes.length] = value;
        const hello = readClientHello(bytes);
        if (typeof hello === "string") assert.match(hello, /^(partial|malformed)$/);
        else assert.match(hello.serverName ?? "a", /^[a-z0-9._-]+$/);
      }),
      { numRuns: 2_000 },
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const hello = readClientHello(Buffer.from(bytes));
        if (typeof hello === "string") assert.match(hello, /^(partial|malformed)$/);
      }),
    );
  });

  it("is refused early: other protocols, too long a message, a name that is no host's", () => {
    for (const text of ["GET / HTTP/1.1\r\n", "PROXY TCP4 1.2.3.4", "SSH-2.0-x", "\0"])
      assert.equal(readClientHello(Buffer.from(text)), "malformed");
    // A message of 16 MiB, an alert, and an empty record, as in a flood of them.
    assert.equal(readClientHello(Buffer.from([22, 3, 1, 0, 4, 1, 255, 255, 255])), "malformed");
    assert.equal(readClientHello(Buffer.from([21, 3, 1, 0, 2, 1, 0])), "malformed");
    assert.equal(readClientHello(Buffer.from([22, 3, 1, 0, 0])), "malformed");
    for (const name of ["shop.example\0com", "shop example.co", "shop..example.co", "shop/example.com"]) {
      const bytes = Buffer.from(named);
      bytes.write(name, bytes.indexOf("Shop.Example.com"), "latin1");
      assert.equal(readClientHello(bytes), "malformed", name);
    }
  });
});
