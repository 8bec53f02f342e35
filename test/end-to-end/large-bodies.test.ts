// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { type IncomingMessage, request } from "node:http";
import { Readable, Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { serviceEntry } from "../support/mesh-folder.ts";
import { type MeshProgram, startMesh } from "../support/mesh-program.ts";
import { startUpstream, type Upstream } from "../support/upstream.ts";

const GIBIBYTE = 1024 ** 3;
const BLOCK = Buffer.alloc(256 * 1024, "x");

/** The growth allowed to the whole process while a gibibyte passes: far less than a body that is held. */
const MAX_GROWTH_BYTES = 96 * 1024 * 1024;

function gibibyte(): Readable {
  let left = GIBIBYTE / BLOCK.length;
  return new Readable({
    highWaterMark: BLOCK.length,
    read() {
      this.push(left-- > 0 ? BLOCK : null);
    },
  });
}

/** Counts bytes and drops them. */
class Sink extends Writable {
  bytes = 0;

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.bytes += chunk.length;
    done();
  }
}

describe("a body of one gibibyte", function () {
  this.timeout(120_000);
  let upstream: Upstream;
  let mesh: MeshProgram;
  let uploaded: Sink;

  before(async () => {
    upstream = await startUpstream((incoming, response) => {
      if (incoming.method === "GET") {
        const length = incoming.url === "/chunked" ? {} : { "content-length": GIBIBYTE };
        response.writeHead(200, length);
        void pipeline(gibibyte(), response);
        return;
      }
      uploaded = new Sink();
      void pipeline(incoming, uploaded).then(() => response.end(String(uploaded.bytes)));
    });
    mesh = await startMesh(serviceEntry("store", upstream.port));
  });
  after(async () => {
    await mesh?.stop();
    await upstream?.close();
  });

  const residentBytes = (): number => {
    const status = readFileSync(`/proc/${mesh.program.pid}/status`, "utf8");
    return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024;
  };

  /** Runs a transfer, and returns the growth of the proxy's memory at its largest. */
  const growthDuring = async (transfer: () => Promise<void>): Promise<number> => {
    const before = residentBytes();
    let largest = before;
    const timer = setInterval(() => (largest = Math.max(largest, residentBytes())), 20);
    try {
      await transfer();
    } finally {
      clearInterval(timer);
    }
    return largest - before;
  };

  const send = (method: string, path: string, headers: Record<string, string | number>) => {
    const outgoing = request(`${mesh.edge}${path}`, { method, headers: { host: "store", ...headers } });
    const answered = new Promise<IncomingMessage>((resolve, reject) => {
      outgoing.on("response", resolve).on("error", reject);
    });
    return { outgoing, answered };
  };

  for (const path of ["/with-length", "/chunked"]) {
    it(`is downloaded in constant memory from ${path}`, async function () {
      if (process.platform !== "linux") this.skip();
      const sink = new Sink();
      const growth = await growthDuring(async () => {
        const { outgoing, answered } = send("GET", path, {});
        outgoing.end();
        await pipeline(await answered, sink);
      });
      assert.equal(sink.bytes, GIBIBYTE);
      assert.ok(growth < MAX_GROWTH_BYTES, `${growth} bytes`);
    });
  }

  for (const [what, headers] of [
    ["with its length", { "content-length": GIBIBYTE }],
    ["in chunks", {}],
  ] as const) {
    it(`is uploaded in constant memory, ${what}`, async function () {
      if (process.platform !== "linux") this.skip();
      let answer = "";
      const growth = await growthDuring(async () => {
        const { outgoing, answered } = send("POST", "/upload", headers);
        await pipeline(gibibyte(), outgoing);
        for await (const chunk of await answered) answer += String(chunk);
      });
      assert.equal(answer, String(GIBIBYTE));
      assert.ok(growth < MAX_GROWTH_BYTES, `${growth} bytes`);
    });
  }
});
