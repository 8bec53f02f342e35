// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import type { ServerResponse } from "node:http";
import { request } from "undici";
import { eventually } from "../support/eventually.ts";
import { type MeshProgram, startMesh } from "../support/mesh-program.ts";

const LIMIT = 3;
const DOCUMENTS = `apiVersion: purser.dev/v1
kind: QuotaPolicy
metadata: { name: at-a-time }
spec:
  key: { team: request.headers."x-team" }
  algorithm: concurrency
  limit: ${LIMIT}
  lease: 1s
`;

describe("a quota of requests at a time", function () {
  this.timeout(60_000);
  let mesh: MeshProgram;
  /** The answers that the upstream has begun and not ended. */
  const open = new Set<ServerResponse>();

  before(async () => {
    mesh = await startMesh(DOCUMENTS, {
      listener: (incoming, outgoing) => {
        incoming.resume();
        outgoing.once("close", () => void open.delete(outgoing));
        open.add(outgoing);
        outgoing.writeHead(200, { "content-type": "text/event-stream" });
        outgoing.write(": begun\n\n");
      },
    });
  });
  after(() => mesh?.stop());

  const begin = async (signal?: AbortSignal) => {
    const { statusCode, headers, body } = await request(mesh.edge, {
      headers: { host: "shop", "x-team": "search" },
      signal,
    });
    body.on("error", () => {});
    body.resume();
    return { statusCode, headers };
  };

  it("holds slots as long as their requests last, and frees them however these end", async () => {
    const abort = new AbortController();
    const statuses: number[] = [];
    for (const signal of [abort.signal, undefined, undefined])
      statuses.push((await begin(signal)).statusCode);
    assert.deepEqual(statuses, [200, 200, 200]);
    // Longer than a lease: the slots are renewed.
    for (let look = 0; look < 5; look++) {
      await new Promise((resolve) => setTimeout(resolve, 500));
      const refused = await begin();
      assert.equal(refused.statusCode, 429);
      assert.equal(refused.headers["ratelimit-policy"], `"at-a-time";q=${LIMIT};qu="concurrent-requests"`);
    }
    // One client leaves, one answer ends.
    abort.abort();
    [...open].at(-1)?.end();
    await eventually(async () => assert.equal((await begin()).statusCode, 200));
    await eventually(async () => assert.equal((await begin()).statusCode, 200));
    await eventually(async () => assert.equal((await begin()).statusCode, 429));
    assert.equal(open.size, LIMIT);
  });
});
