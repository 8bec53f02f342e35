// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Progress } from "../../tools/progress.ts";
import type { CommonFlags } from "../flags.ts";
import type { Children } from "../machine/children.ts";
import { type Cores, moveTo } from "../machine/cores.ts";
import { isExecutable } from "../machine/find-program.ts";
import { freePort } from "../machine/free-port.ts";
import { goCommandPath } from "../machine/go-command.ts";
import { program } from "../machine/repository.ts";
import { startServer } from "../machine/server.ts";
import { rotated } from "../proxy/entry.ts";
import { CONTENDERS, SERVICE } from "./contenders.ts";
import { RATELIMIT_CONFIG } from "./deciders.ts";
import { RATELIMIT, rateLimitEnvironment } from "./ratelimit.ts";

const NOT_BUILT =
  "not built: npx mocha --no-config --import=tsx tools/import-ratelimit/same-decisions.test.ts builds it, which needs Go";

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
  /** Contenders that could not run, with the reason. */
  readonly missing: Readonly<Record<string, string>>;
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
  const serviceProgram = goCommandPath(RATELIMIT);
  const missing = isExecutable(serviceProgram) ? {} : { [SERVICE]: NOT_BUILT };
  const contenders = CONTENDERS.filter(({ name }) => !(name in missing));
  const runs = new Map(
    contenders.map(({ name, concurrencies }) => [
      name,
      new Map(concurrencies.map((concurrency) => [concurrency, [] as Run[]])),
    ]),
  );
  try {
    const redis = await freePort();
    await startServer(children, {
      name: "redis-server",
      core: cores.load,
      command: ["redis-server", "--bind", "127.0.0.1", "--port", `${redis}`, "--save", "", "--dir", folder],
      port: redis,
      logFile: join(folder, "redis.log"),
    });
    const ports = {
      redis,
      ratelimit: SERVICE in missing ? 0 : await startRateLimit(children, cores.load, folder, redis),
    };
    for (let round = 0; round < rounds; round++) {
      for (const { name, asks, concurrencies } of rotated(contenders, round)) {
        for (const concurrency of concurrencies) {
          progress.at(`round ${round + 1} of ${rounds}: ${name}, ${concurrency} under way`);
          const args = [name, ports[asks], concurrency, seconds, warmUp].map(String);
          const output = await children.output(cores.proxy, [node, program("quota-load", "quota"), ...args]);
          runs
            .get(name)
            ?.get(concurrency)
            ?.push(JSON.parse(output) as Run);
        }
      }
    }
    return { runs, missing };
  } finally {
    await children.stopAll();
    removeFolder();
    process.removeListener("exit", removeFolder);
  }
}

/** Starts the service beside redis-server, and resolves with its port. */
async function startRateLimit(
  children: Children,
  core: number,
  folder: string,
  redisPort: number,
): Promise<number> {
  const port = await freePort();
  const environment = rateLimitEnvironment({
    port,
    grpcPort: await freePort(),
    debugPort: await freePort(),
    folder,
    configs: [RATELIMIT_CONFIG],
    redisAddress: `127.0.0.1:${redisPort}`,
    countsAllOrNone: false,
  });
  const variables = Object.entries(environment).map(([name, value]) => `${name}=${value}`);
  await startServer(children, {
    name: SERVICE,
    core,
    command: ["env", ...variables, goCommandPath(RATELIMIT)],
    port,
    logFile: join(folder, "ratelimit.log"),
  });
  return port;
}
