// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { spawn } from "node:child_process";

import { cleanUp, later, onCleanup, until } from "../../../testing/harness.test.ts";
import { get, RawClient, startServer } from "./server-rig.test.ts";

const COUNT = 10_000;

/** Opens the connections in batches, sends a request on each, and says so when all are answered. */
const CLIENT = `
const { connect } = require("node:net");
const [port, count] = process.argv.slice(1).map(Number);
let answered = 0;
const open = () => {
  const socket = connect({ port, host: "127.0.0.1" });
  socket.on("error", (error) => { console.log(error.code); process.exit(1); });
  socket.once("data", () => {
    socket.pause();
    answered++;
    if (answered === count) console.log("all");
    else if (opened < count) { opened++; open(); }
  });
  socket.write("GET / HTTP/1.1\\r\\nhost: a\\r\\n\\r\\n");
};
let opened = Math.min(count, 200);
for (let index = 0; index < opened; index++) open();
setTimeout(() => process.exit(1), 60_000);
`;

describe("10,000 idle connections", () => {
  afterEach(cleanUp);

  it("take less than 12 KiB of memory each, and the next request is answered at once", async function () {
    this.timeout(60_000);
    const { port, server } = await startServer(undefined, { maxConnections: COUNT + 10 });
    const warm = new RawClient(port, get("/"));
    await until(() => warm.statuses === "200");
    const beforeBytes = process.memoryUsage.rss();
    const child = spawn(process.execPath, ["-e", CLIENT, String(port), String(COUNT)], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    onCleanup(() => void child.kill());
    const said = await new Promise<string>((resolve) => {
      child.stdout.once("data", (chunk: Buffer) => resolve(chunk.toString().trim()));
      child.once("exit", () => resolve("gone"));
    });
    // Machines may allow a process fewer open files.
    if (said === "EMFILE") this.skip();
    assert.equal(said, "all");
    await later(300);
    const bytesEach = (process.memoryUsage.rss() - beforeBytes) / COUNT;
    assert.ok(bytesEach < 12 * 1024, `${bytesEach} bytes for each connection`);
    const start = performance.now();
    warm.send(get("/next"));
    await until(() => warm.received.endsWith("</next>"));
    assert.ok(performance.now() - start < 200);
    server.cut();
  });
});
