// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { type ChildProcess, execFile, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { findProgram, isExecutable } from "../../bench/machine/find-program.ts";
import { freePort } from "../../bench/machine/free-port.ts";

/** A running OpenTelemetry Collector, built from `test/support/collector/`. */
export interface Collector {
  readonly httpUrl: string;
  readonly grpcUrl: string;
  /** The requests that arrived, as OTLP/JSON, in the order of their arrival. */
  readonly received: readonly OtlpRequest[];
  stop(): Promise<void>;
}

/** An OTLP/JSON request: one of the three members is there. */
export interface OtlpRequest {
  readonly resourceMetrics?: readonly unknown[];
  readonly resourceLogs?: readonly unknown[];
  readonly resourceSpans?: readonly unknown[];
}

const SOURCES = fileURLToPath(new URL("collector/", import.meta.url));
const SOURCE_FILES = ["go.mod", "go.sum", "lines.go", "main.go"];

/** The first build downloads and compiles some 190 modules, in 2 to 3 minutes on two cores. */
export const COLLECTOR_BUILD_MS = 8 * 60_000;

const START_DEADLINE_MS = 20_000;

/** Call from a `before` hook with mocha's `this`: skips the suite when there is no Go, and fails instead on a build server. */
export async function startCollector(context: Mocha.Context): Promise<Collector> {
  const program = await buildCollector().catch((error: unknown) => {
    const reason = `no OpenTelemetry Collector: ${error instanceof Error ? error.message : String(error)}`;
    if (process.env["CI"] === "true" || process.env["REQUIRE_SERVICES"] === "1") throw new Error(reason);
    console.warn(`      skipped: ${reason.slice(0, 500)}`);
    return context.skip();
  });
  const folder = mkdtempSync(join(tmpdir(), "purser-collector-"));
  const [httpPort, grpcPort] = [await freePort(), await freePort()];
  const config = join(folder, "config.yaml");
  writeFileSync(config, configOf(httpPort, grpcPort));
  const child = spawn(program, ["--config", `file:${config}`], { stdio: ["ignore", "pipe", "pipe"] });
  const received: OtlpRequest[] = [];
  createInterface({ input: child.stdout }).on("line", (line) => {
    received.push(JSON.parse(line) as OtlpRequest);
  });
  let log = "";
  child.stderr.on("data", (chunk: Buffer) => void (log = (log + chunk.toString()).slice(-4000)));
  try {
    await Promise.all([listening(httpPort, child), listening(grpcPort, child)]);
  } catch (error) {
    await stop(child, folder);
    throw new Error(`the Collector did not start: ${String(error)}: ${log}`, { cause: error });
  }
  return {
    httpUrl: `http://127.0.0.1:${httpPort}`,
    grpcUrl: `http://127.0.0.1:${grpcPort}`,
    received,
    stop: () => stop(child, folder),
  };
}

/** The path of the program; built when no build of the same sources is in the cache. */
async function buildCollector(): Promise<string> {
  const hash = createHash("sha256");
  for (const file of SOURCE_FILES) hash.update(readFileSync(join(SOURCES, file)));
  const cache = join(homedir(), ".cache", "purser");
  const program = join(cache, `collector-${hash.digest("hex").slice(0, 16)}`);
  if (isExecutable(program)) return program;
  const go = findProgram("go") ?? "/usr/local/go/bin/go";
  if (!isExecutable(go)) throw new Error("go is neither on PATH nor in /usr/local/go/bin");
  mkdirSync(cache, { recursive: true });
  // Renamed when it is complete, so that several test runs may build at the same time.
  const unfinished = `${program}.${process.pid}`;
  try {
    await promisify(execFile)(go, ["build", "-trimpath", "-ldflags", "-s -w", "-o", unfinished, "."], {
      cwd: SOURCES,
      timeout: COLLECTOR_BUILD_MS,
      env: { ...process.env, CGO_ENABLED: "0" },
    });
    renameSync(unfinished, program);
  } finally {
    rmSync(unfinished, { force: true });
  }
  return program;
}

function configOf(httpPort: number, grpcPort: number): string {
  const pipeline = { receivers: ["otlp"], exporters: ["lines"] };
  return JSON.stringify({
    receivers: {
      otlp: {
        protocols: {
          http: { endpoint: `127.0.0.1:${httpPort}` },
          grpc: { endpoint: `127.0.0.1:${grpcPort}` },
        },
      },
    },
    exporters: { lines: {} },
    service: {
      telemetry: { metrics: { level: "none" }, logs: { level: "warn" } },
      pipelines: { traces: pipeline, metrics: pipeline, logs: pipeline },
    },
  });
}

/** Resolves when the port takes connections. */
async function listening(port: number, child: ChildProcess): Promise<void> {
  const deadlineMs = Date.now() + START_DEADLINE_MS;
  while (Date.now() < deadlineMs) {
    if (child.exitCode !== null) throw new Error(`it exited with ${child.exitCode}`);
    const isOpen = await new Promise<boolean>((resolve) => {
      const socket = connect({ host: "127.0.0.1", port });
      socket.once("connect", () => {
        socket.destroy();
        resolve(true);
      });
      socket.once("error", () => resolve(false));
    });
    if (isOpen) return;
    await new Promise((resolve) => void setTimeout(resolve, 50));
  }
  throw new Error(`port ${port} did not open within ${START_DEADLINE_MS} ms`);
}

async function stop(child: ChildProcess, folder: string): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) {
    const exited = once(child, "exit");
    child.kill("SIGKILL");
    await exited;
  }
  rmSync(folder, { recursive: true, force: true });
}
