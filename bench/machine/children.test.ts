// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { requireService } from "../../test/support/services.ts";
import { eventually } from "../../test/support/eventually.ts";
import { type Child, Children } from "./children.ts";
import { ownCores } from "./cores.ts";
import { processTree } from "./process-figures.ts";

const STOPPED = /^T$/;
/** A process that has ended is a zombie until its parent has taken its exit code. */
const ENDED = /^Z?$/;

/** The letter of the process's state in /proc (proc(5)): S sleeping, T stopped, Z zombie; empty when it is gone. */
function stateOf(pid: number): string {
  try {
    return /\) (\w)/.exec(readFileSync(`/proc/${pid}/stat`, "utf8"))?.[1] ?? "";
  } catch {
    return "";
  }
}

describe("the programs of a bench", () => {
  const children = new Children();
  let folder: string;
  let child: Child;
  let pids: readonly number[];
  const become = (state: RegExp): Promise<void> =>
    eventually(async () => assert.ok(pids.every((pid) => state.test(stateOf(pid)))));

  before(function () {
    folder = mkdtempSync(join(tmpdir(), "purser-bench-test-"));
    if (process.platform !== "linux") return this.skip();
    requireService(this, "taskset");
  });

  beforeEach(async () => {
    child = children.start(ownCores()[0] ?? 0, ["sh", "-c", "sleep 60 & wait"], join(folder, "log"));
    pids = [];
    await eventually(async () => {
      pids = processTree(child.pid).map(({ pid }) => pid);
      assert.equal(pids.length, 2);
    });
  });

  afterEach(() => children.killAll());
  after(() => rmSync(folder, { recursive: true }));

  it("are suspended and resumed with their descendants", async () => {
    child.suspend();
    await become(STOPPED);
    child.resume();
    await become(/^S$/);
  });

  it("end while they are suspended", async () => {
    child.suspend();
    await become(STOPPED);
    await child.stop();
    assert.equal(child.isRunning(), false);
    await become(ENDED);
  });

  it("are killed with their descendants, also while they are suspended", async () => {
    child.suspend();
    await become(STOPPED);
    children.killAll();
    await become(ENDED);
  });
});
