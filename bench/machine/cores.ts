// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

export interface Cores {
  /** The core of the upstream, the load generators and the bench itself. */
  readonly load: number;
  /** The core of the contender with the services that it asks, and of nothing else of the bench. */
  readonly proxy: number;
  /** All cores of the process. */
  readonly all: readonly number[];
}

/** Reads a list of cores as Linux writes it: `0-2,5`. */
export function parseCores(list: string): readonly number[] {
  return list
    .trim()
    .split(",")
    .filter((part) => part !== "")
    .flatMap((part) => {
      const [first, last = first] = part.split("-").map(Number);
      if (first === undefined || last === undefined || Number.isNaN(first + last)) return [];
      return Array.from({ length: last - first + 1 }, (_, index) => first + index);
    });
}

/** The cores that this process may use. */
export function ownCores(): readonly number[] {
  const status = readFileSync("/proc/self/status", "utf8");
  return parseCores(/^Cpus_allowed_list:\s*(.*)$/m.exec(status)?.[1] ?? "");
}

/** Divides the cores that this process may use. Throws an Error when there is only one. */
export function divideCores(): Cores {
  const all = ownCores();
  const [proxy, load] = all;
  if (proxy === undefined || load === undefined)
    throw new Error("the bench needs two cores: one for the load and the upstream, one for the proxy");
  return { load, proxy, all };
}

/** Moves this process, with all its threads, to the core of the load. */
export function moveTo(core: number): void {
  execFileSync("taskset", ["--all-tasks", "--cpu-list", "--pid", String(core), String(process.pid)], {
    stdio: "ignore",
  });
}
