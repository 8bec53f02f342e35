// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { benchFolders, requireBench, runBench } from "../test/support/bench.ts";
import { isExecutable } from "./machine/find-program.ts";
import { goCommandPath } from "./machine/go-command.ts";
import { CONTENDERS, SERVICE } from "./quota/contenders.ts";
import { RATELIMIT } from "./quota/ratelimit.ts";
import type { Report } from "./quota/report.ts";

describe("bench:quota", function () {
  this.timeout(100_000);

  it("explains itself", () => {
    const { status, stdout } = runBench("quota", "--help");
    assert.equal(status, 0);
    assert.match(stdout, /rate-limiter-flexible/);
    assert.match(stdout, /--part <name>/);
  });

  it("refuses wrong options with exit code 2", () => {
    const { status, stdout, stderr } = runBench("quota", "--seconds", "none");
    assert.equal(status, 2);
    assert.equal(stdout, "");
    assert.match(stderr, /--seconds must be a whole number/);
    const part = runBench("quota", "--part=none");
    assert.equal(part.status, 2);
    assert.match(part.stderr, /--part must be speed, accuracy or scale, not none\nSee npm run bench:quota/);
  });

  it("measures all contenders for a second each and leaves nothing behind", function () {
    requireBench(this, "redis-server", "taskset");
    const before = new Set(benchFolders());
    const { status, stdout, stderr } = runBench(
      "quota",
      "--part=speed",
      "--json",
      "--rounds=1",
      "--seconds=1",
      "--warm-up=1",
    );
    // So short a run may miss the bars.
    assert.ok(status === 0 || status === 1, stderr);
    const { contenders, bars, missing, ratio_to_peer: ratios } = JSON.parse(stdout) as Report;
    for (const { name, concurrencies } of CONTENDERS) {
      if (name in missing) continue;
      for (const concurrency of concurrencies) {
        const figures = contenders[name]?.[concurrency];
        assert.ok(
          (figures?.decisions_per_s ?? 0) > 500 && (figures?.cpu_us ?? 0) > 0.01,
          `${name} ${stdout}`,
        );
      }
    }
    assert.deepEqual(Object.keys(ratios), ["1", "64", "512"]);
    assert.equal(bars.length, 3);
    const built = isExecutable(goCommandPath(RATELIMIT));
    assert.deepEqual(Object.keys(missing), built ? ["Limitador"] : [SERVICE, "Limitador"]);
    const left = benchFolders().filter((name) => !before.has(name));
    assert.deepEqual(left, []);
  });
});
