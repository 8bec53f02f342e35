// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import assert from "node:assert/strict";
import { cpuMs, parseStat, residentMb, treeOf } from "./process-figures.ts";

const process_ = (pid: number, parent: number): { pid: number; parent: number; cpuTicks: number } => ({
  pid,
  parent,
  cpuTicks: 0,
});

describe("the figures of processes", () => {
  it("reads a line of /proc/PID/stat, whatever the program calls itself", () => {
    const line = "42 (a) b (c) S 7 42 42 0 -1 4194560 1 2 3 4 150 25 9 9 20 0 1 0 5 6 7";
    assert.deepEqual(parseStat(line), { pid: 42, parent: 7, cpuTicks: 175 });
  });

  it("collects a process with all its descendants and nobody else", () => {
    const all = [process_(1, 0), process_(5, 1), process_(6, 5), process_(7, 6), process_(8, 1)];
    assert.deepEqual(
      treeOf(5, all).map(({ pid }) => pid),
      [5, 6, 7],
    );
  });

  it("is empty for a process that has ended", () => {
    assert.deepEqual(treeOf(99, [process_(1, 0)]), []);
  });

  it("sees this process", function () {
    if (process.platform !== "linux") return this.skip();
    assert.ok(cpuMs(process.pid) > 0);
    assert.ok(residentMb(process.pid) > 10);
  });
});
