// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { readdirSync, readFileSync } from "node:fs";

/** A process as `/proc/PID/stat` describes it. */
export interface ProcessStat {
  readonly pid: number;
  readonly parent: number;
  /** User and system time of all its threads, in clock ticks. */
  readonly cpuTicks: number;
}

/** Length of a clock tick of `/proc`, in milliseconds: USER_HZ is 100 on every architecture of Linux that runs Node. */
const TICK_MS = 10;

/** Parses `/proc/PID/stat` (proc(5)). The name in parentheses may hold spaces and parentheses. */
export function parseStat(text: string): ProcessStat {
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return {
    pid: Number.parseInt(text, 10),
    parent: Number(fields[1]),
    cpuTicks: Number(fields[11]) + Number(fields[12]),
  };
}

/** The process and all its descendants. */
export function treeOf(root: number, processes: readonly ProcessStat[]): readonly ProcessStat[] {
  const own = processes.filter(({ pid }) => pid === root);
  const below = processes.filter(({ parent }) => parent === root);
  return [...own, ...below.flatMap(({ pid }) => treeOf(pid, processes))];
}

export function processTree(root: number): readonly ProcessStat[] {
  const processes = readdirSync("/proc").flatMap((name) => {
    const text = /^\d+$/.test(name) ? readOrNothing(`/proc/${name}/stat`) : "";
    return text === "" ? [] : [parseStat(text)];
  });
  return treeOf(root, processes);
}

/** CPU time of the process and its descendants so far, in milliseconds. */
export function cpuMs(root: number): number {
  return processTree(root).reduce((sum, { cpuTicks }) => sum + cpuTicks, 0) * TICK_MS;
}

/** Resident memory of the process and its descendants, in megabytes (10^6 bytes). */
export function residentMb(root: number): number {
  const kib = processTree(root).map(({ pid }) =>
    Number(/^VmRSS:\s*(\d+) kB$/m.exec(readOrNothing(`/proc/${pid}/status`))?.[1] ?? 0),
  );
  return (kib.reduce((sum, value) => sum + value, 0) * 1024) / 1e6;
}

/** Time that the core has been busy for anybody since the machine started, in milliseconds. */
export function coreBusyMs(core: number): number {
  const line = new RegExp(`^cpu${core} (.*)$`, "m").exec(readFileSync("/proc/stat", "utf8"))?.[1] ?? "";
  // user nice system idle iowait irq softirq steal: all but idle and iowait is work.
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = line.split(" ").map(Number);
  return (user + nice + system + irq + softirq + steal) * TICK_MS;
}

/** Processes end while they are listed; a file that is gone is empty. */
function readOrNothing(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
