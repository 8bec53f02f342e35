// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { runGroup } from "./program.ts";

describe("a program that is a process group", function () {
  this.timeout(20_000);

  it("has stopped when all of its processes have", async () => {
    const program = runGroup("sh", ["-c", "echo ready; exec sleep 600"]);
    await program.until(/ready/);
    assert.ok((await program.stop("SIGTERM")).tookMs < 5_000);
  });

  it("is told apart from one that leaves a process behind, which is killed", async () => {
    const program = runGroup("sh", ["-c", "sleep 600 & echo $!; wait"]);
    const [, pid] = await program.until(/(\d+)/);
    await assert.rejects(program.stop("SIGTERM"), /^Error: sh left processes behind: \d+$/);
    await new Promise((resolve) => setTimeout(resolve, 50));
    // The process may stay a zombie of its new parent.
    const isAlive =
      existsSync(`/proc/${pid}/stat`) && !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
    assert.equal(isAlive, false);
  });
});
