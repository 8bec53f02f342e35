// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { listenError } from "./listen-error.ts";
import { inodesOf } from "./port-owner.ts";

const failure = (code: string): Error & { readonly code: string } => Object.assign(new Error(code), { code });

describe("listenError", () => {
  it("names the process that has the port, without arguments that may be secrets", async function () {
    if (process.platform !== "linux") this.skip();
    const code =
      'require("net").createServer().listen(0, "127.0.0.1", function () { console.log(this.address().port); })';
    const child = spawn(process.execPath, ["-e", code, "--", "--token=secret"], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    try {
      const [text] = (await once(child.stdout, "data")) as [Buffer];
      const port = Number(text);
      const error = await listenError(failure("EADDRINUSE"), { host: "127.0.0.1", port });
      assert.equal(error.code, "PURSER_PORT_TAKEN");
      assert.equal(error.message, `127.0.0.1:${port} is taken by process ${child.pid} (node)`);
    } finally {
      child.kill();
    }
  });

  it("tells a port of this program itself, over IPv6 too", async function () {
    if (process.platform !== "linux") this.skip();
    const server = createServer().listen(0, "::1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const error = await listenError(failure("EADDRINUSE"), {
      host: "::1",
      port,
      origin: "server web of Gateway edge",
    });
    server.close();
    assert.equal(
      error.message,
      `[::1]:${port} of server web of Gateway edge is taken by another part of this program`,
    );
  });

  it("says another program of a port whose owner the system does not tell", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    server.close();
    await once(server, "close");
    const error = await listenError(failure("EADDRINUSE"), { host: "127.0.0.1", port });
    assert.equal(error.message, `127.0.0.1:${port} is taken by another program`);
  });

  it("says how to listen on a low port, and which address is none", async () => {
    const low = await listenError(failure("EACCES"), { host: "0.0.0.0", port: 80 });
    assert.equal(low.code, "PURSER_PORT_FORBIDDEN");
    assert.match(
      low.message,
      /^this user may not listen on 0\.0\.0\.0:80: .*CAP_NET_BIND_SERVICE.*higher port$/,
    );
    const high = await listenError(failure("EACCES"), { host: "0.0.0.0", port: 8080 });
    assert.equal(high.message, "this user may not listen on 0.0.0.0:8080");
    const foreign = await listenError(failure("EADDRNOTAVAIL"), { host: "192.0.2.1", port: 0 });
    assert.equal(foreign.message, "192.0.2.1:0 is no address of this machine");
    assert.equal(foreign.code, "PURSER_PORT_FORBIDDEN");
  });
});

describe("inodesOf", () => {
  it("finds listening sockets of the port alone", () => {
    const line = (local: string, state: string, inode: number): string =>
      `   0: ${local} 00000000:0000 ${state} 00000000:00000000 00:00000000 00000000     0        0 ${inode} 1 0 100 0 0 10 0`;
    const table = [
      "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode",
      line("0100007F:0050", "0A", 11),
      line("00000000000000000000000001000000:0050", "0A", 12),
      line("0100007F:0050", "01", 13),
      line("0100007F:1050", "0A", 14),
      "cut off",
      "",
    ].join("\n");
    assert.deepEqual(inodesOf(table, 80), ["11", "12"]);
    assert.deepEqual(inodesOf("", 80), []);
  });
});
