// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type RequestListener } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

import {
  cleanUp,
  clusterOf,
  configOf,
  endpointAt,
  onCleanup,
  startProxy,
} from "../../proxy/testing/harness.test.ts";
import { http2Listener } from "../../proxy/testing/http2-peers.test.ts";
import { requireService } from "../support/services.ts";

const REQUESTS = 20_000;
const DEADLINE_MS = 60_000;
const run = promisify(execFile);

/** A proxy in front of an upstream that sends each request's body back, in the protocol. */
async function startEcho(protocol: "http1" | "http2"): Promise<number> {
  const handler: RequestListener = (incoming, outgoing) => void incoming.pipe(outgoing);
  const server = createServer(handler);
  if (protocol === "http2") http2Listener(server, handler);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onCleanup(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  const address = server.address();
  assert.ok(typeof address === "object" && address !== null);
  const cluster = clusterOf([endpointAt(address.port)], { protocol });
  return (await startProxy(configOf({ clusters: [cluster] }))).port;
}

/** A file of bytes that differ from their neighbours, removed after the test. */
function fileOf(bytes: number): string {
  const folder = mkdtempSync(join(tmpdir(), "purser-nghttp2-"));
  onCleanup(() => rmSync(folder, { recursive: true }));
  const path = join(folder, "body");
  writeFileSync(path, Buffer.from(Array.from({ length: bytes }, (_, index) => index % 251)));
  return path;
}

describe("the clients of nghttp2 through the proxy", function () {
  this.timeout(DEADLINE_MS + 10_000);
  let nghttp: string;
  let h2load: string;

  before(function () {
    nghttp = requireService(this, "nghttp");
    h2load = requireService(this, "h2load");
  });
  afterEach(cleanUp);

  for (const protocol of ["http1", "http2"] as const) {
    it(`h2load gets 2xx for each of ${REQUESTS} requests, to an upstream of ${protocol}`, async () => {
      const port = await startEcho(protocol);
      const body = fileOf(100);
      const args = ["-n", String(REQUESTS), "-c", "10", "-m", "20", "-d", body, `http://127.0.0.1:${port}/`];
      const { stdout } = await run(h2load, args, { timeout: DEADLINE_MS });
      assert.match(stdout, new RegExp(`${REQUESTS} succeeded, 0 failed, 0 errored, 0 timeout`));
      assert.match(stdout, new RegExp(`status codes: ${REQUESTS} 2xx, 0 3xx, 0 4xx, 0 5xx`));
      assert.match(stdout, new RegExp(`\\(${REQUESTS * 100}\\) data`));
    });

    it(`nghttp gets back a body that is larger than the windows, from an upstream of ${protocol}`, async () => {
      const port = await startEcho(protocol);
      const body = fileOf(3 * 1024 * 1024);
      const args = ["-d", body, "--trailer", "x-sum: 7", `http://127.0.0.1:${port}/`];
      const options = { timeout: DEADLINE_MS, maxBuffer: 16 * 1024 * 1024, encoding: "buffer" } as const;
      const { stdout } = await run(nghttp, args, options);
      assert.ok(stdout.equals(readFileSync(body)), `${stdout.length} bytes`);
    });
  }
});
