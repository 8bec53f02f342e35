// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "../../bench/machine/free-port.ts";
import { requireService } from "./services.ts";

/** A Prometheus that scrapes every second, on the loopback address. */
export interface PrometheusServer {
  /** The `data` of an answer of its HTTP API. */
  api(path: string, parameters: Readonly<Record<string, string>>): Promise<unknown>;
  /** Ends the server and removes its folder. */
  stop(): Promise<void>;
}

/**
 * Call with mocha's `this`: skips the test or suite when prometheus is not installed.
 *
 * @param targets HOST:PORT by job.
 * @param features Values of --enable-feature.
 */
export async function startPrometheus(
  context: Mocha.Context,
  targets: Readonly<Record<string, string>>,
  features: readonly string[],
): Promise<PrometheusServer> {
  const program = requireService(context, "prometheus");
  const folder = mkdtempSync(join(tmpdir(), "purser-prometheus-"));
  const jobs = Object.entries(targets).map(
    ([job, target]) => `  - { job_name: ${job}, static_configs: [{ targets: ["${target}"] }] }\n`,
  );
  const config = join(folder, "prometheus.yml");
  writeFileSync(
    config,
    `global: { scrape_interval: 1s, scrape_timeout: 1s }\nscrape_configs:\n${jobs.join("")}`,
  );
  const port = await freePort();
  const child = spawn(
    program,
    [
      `--config.file=${config}`,
      `--storage.tsdb.path=${join(folder, "data")}`,
      `--web.listen-address=127.0.0.1:${port}`,
      `--enable-feature=${features.join(",")}`,
      "--log.level=warn",
    ],
    { stdio: "ignore" },
  );
  const exited = once(child, "exit");
  return {
    async api(path, parameters) {
      const query = new URLSearchParams(parameters).toString();
      const answer = await fetch(`http://127.0.0.1:${port}/api/v1/${path}?${query}`, {
        signal: AbortSignal.timeout(5_000),
      });
      return ((await answer.json()) as { readonly data: unknown }).data;
    },
    async stop() {
      child.kill("SIGKILL");
      await exited;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
