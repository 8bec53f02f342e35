// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { request } from "undici";
import { cpuMs, residentMb } from "../../bench/machine/process-figures.ts";
import { type MeshProgram, startMesh } from "../support/mesh-program.ts";

const POLICIES = new URL("../../bench/proxy/mesh/policies.yaml", import.meta.url);

/** Most resident memory of an idle mesh, in megabytes (10^6 bytes): 81 MB with Node.js 20 on x64. */
const IDLE_MB = 90;

/** Most CPU time of a start, of all threads, in milliseconds: 0.3 s on an idle core, and half as much again beside other work. */
const START_CPU_MS = 900;

describe("a mesh in one process, with policies, quotas and telemetry", function () {
  this.timeout(60_000);
  let mesh: MeshProgram;

  before(async function () {
    if (process.platform !== "linux") return this.skip();
    mesh = await startMesh(readFileSync(POLICIES, "utf8"));
    const { statusCode, body } = await request(mesh.edge, { headers: { host: "shop", "x-user": "user-1" } });
    await body.dump();
    assert.equal(statusCode, 200);
  });
  after(() => mesh?.stop());

  it("starts within its CPU time", () => {
    const spentMs = cpuMs(mesh.program.pid);
    assert.ok(spentMs < START_CPU_MS, `${spentMs} ms; was dist/purser.cjs made after the last tsc -b?`);
  });

  it("is small after its first request, and 5 s later", async function () {
    // Later versions of Node.js take 10 to 20 MB more themselves.
    if (!process.version.startsWith("v20.") || process.arch !== "x64") this.skip();
    for (const waitMs of [0, 5_000]) {
      await new Promise((resolve) => setTimeout(resolve, waitMs));
      const resident = residentMb(mesh.program.pid);
      assert.ok(resident < IDLE_MB, `${resident} MB after ${waitMs} ms`);
    }
  });
});
