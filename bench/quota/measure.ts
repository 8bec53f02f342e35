// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Progress } from "../../tools/progress.ts";
import type { CommonFlags } from "../flags.ts";
import type { Children } from "../machine/children.ts";
import { type Cores, moveTo } from "../machine/cores.ts";
import { freePort } from "../machine/free-port.ts";
import { program } from "../machine/repository.ts";
import { startServer } from "../machine/server.ts";
import { rotated } from "../proxy/entry.ts";
import { CONTENDERS } from "./contenders.ts";

export interface Options extends CommonFlags {
  readonly cores: Cores;
}

/** One contender's turn. */
export interface Run {
  readonly decisionsPerS: number;
  /** CPU time of the Node.js process for a decision, in microseconds; that of Redis is not included. */
  readonly cpuUs: number;
}

export interface Measured {
  /** The runs of all rounds, by contender and concurrency. */
  readonly runs: ReadonlyMap<string, ReadonlyMap<number, readonly Run[]>>;
}

/** Measures every contender once a round. Everything that it starts is in `children`. */
export async function measure(options: Options, children: Children, progress: Progress): Promise<Measured> {
  const { cores, node, rounds, seconds, warmUp } = options;
  moveTo(cores.load);
  const folder = mkdtempSync(join(tmpdir(), "purser-quota-bench-"));
  const removeFolder = (): void => rmSync(folder, { recursive: true, force: true });
  process.once("exit", removeFolder);
  const runs = new Map(
    CONTENDERS.map(({ name, concurrencies }) => [
      name,
      new Map(concurrencies.map((concurrency) => [concurrency, [] as Run[]])),
    ]),
  );
  try {
    const port = await freePort();
    await startServer(children, {
      name: "redis-server",
      core: cores.load,
      command: ["redis-server", "--bind", "127.0.0.1", "--port", `${port}`, "--save", "", "--dir", folder],
      port,
      logFile: join(folder, "redis.log"),
    });
    for (let round = 0; round < rounds; round++) {
      for (const { name, concurrencies } of rotated(CONTENDERS, round)) {
        for (const concurrency of concurrencies) {
          progress.at(`round ${round + 1} of ${rounds}: ${name}, ${concurrency} under way`);
          const args = [name, port, concurrency, seconds, warmUp].map(String);
          const output = await children.output(cores.proxy, [node, program("quota-load", "quota"), ...args]);
          runs
            .get(name)
            ?.get(concurrency)
            ?.push(JSON.parse(output) as Run);
        }
      }
    }
    return { runs };
  } finally {
    await children.stopAll();
    removeFolder();
    process.removeListener("exit", removeFolder);
  }
}
