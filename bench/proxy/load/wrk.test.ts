// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { requestHead, USERS, WORKLOADS } from "./workloads.ts";
import { parseWrk, writeScript } from "./wrk.ts";

const OUTPUT = `Running 1s test @ http://127.0.0.1:18081
  1 threads and 64 connections
  Latency Distribution
     50%    1.29ms
Requests/sec:  46236.21

{"requests":46300,"duration_us":2000000,"p50_us":1290,"p99_us":2180,"max_us":9000,"errors":3}
`;

describe("the load by wrk", () => {
  it("reads the figures of the script's own line", () => {
    assert.deepEqual(parseWrk(OUTPUT), {
      requestsPerSecond: 23_150,
      requests: 46_300,
      p50Ms: 1.29,
      p99Ms: 2.18,
      maxMs: 9,
      errors: 3,
    });
  });

  it("says what wrk printed when there are no figures", () => {
    assert.throws(() => parseWrk("unable to connect to 127.0.0.1:1\n"), /no figures: unable to connect/);
  });

  it("sends the workload's method, path and body from several users", () => {
    const folder = mkdtempSync(join(tmpdir(), "purser-bench-test-"));
    try {
      for (const workload of WORKLOADS) {
        const script = readFileSync(writeScript(folder, workload), "utf8");
        for (let user = 1; user <= USERS; user++) {
          const head = JSON.stringify(requestHead(workload, "AUTHORITY", user));
          assert.ok(
            head.includes(`${workload.method} ${workload.path} HTTP/1.1`) && head.includes(`user-${user}\\r`),
          );
          assert.ok(script.includes(head), script);
        }
        assert.ok(script.includes(`string.rep("x", ${workload.bodyBytes})`), script);
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
