// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { Socket } from "node:net";
import { TLSSocket } from "node:tls";

import { type Authority, createAuthority } from "../../../../test/support/certificates.ts";
import { cleanUp, onCleanup, until } from "../../../testing/harness.test.ts";
import { dialTls, startTlsEdge, tlsServerOf, WrittenFiles } from "../tls-rig.test.ts";

describe("responses of HTTP/1.1 over TLS", () => {
  let authority: Authority;
  let files: WrittenFiles;
  before(function () {
    authority = createAuthority(this);
    const { cert, key } = authority.sign("shop.example", "DNS:shop.example");
    files = new WrittenFiles({ "shop.example.crt": cert, "shop.example.key": key });
  });
  after(() => authority?.remove());
  afterEach(cleanUp);

  /** The beginnings of the texts that the proxy writes; the client writes bytes. */
  function recordWrites(): readonly string[] {
    const texts: string[] = [];
    // In front of the method that TLSSocket inherits.
    TLSSocket.prototype.write = function (this: TLSSocket, ...given: Parameters<Socket["write"]>): boolean {
      if (typeof given[0] === "string") texts.push(given[0].slice(0, "HTTP/1.1 200".length));
      return Socket.prototype.write.apply(this, given);
    } as Socket["write"];
    onCleanup(() => void Reflect.deleteProperty(TLSSocket.prototype, "write"));
    return texts;
  }

  it("are one write each, also on a connection that is kept", async () => {
    const { port } = await startTlsEdge([tlsServerOf("shop.example")], files);
    const texts = recordWrites();
    const socket = await dialTls(port, "shop.example");
    onCleanup(() => void socket.destroy());
    let received = "";
    socket.on("data", (chunk: Buffer) => (received += chunk.toString("latin1")));
    const answered = (): number => received.split("shop.example").length - 1;
    for (const count of [1, 2, 3]) {
      socket.write(Buffer.from("GET / HTTP/1.1\r\nhost: shop.example\r\n\r\n"));
      await until(() => answered() === count);
    }
    // Two at once: the second is served when the first is taken.
    socket.write(Buffer.from("GET / HTTP/1.1\r\nhost: shop.example\r\n\r\n".repeat(2)));
    await until(() => answered() === 5);
    assert.deepEqual(
      texts,
      Array.from({ length: 5 }, () => "HTTP/1.1 200"),
    );
  });
});
