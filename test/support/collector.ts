// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { PassThrough } from "node:stream";
import { fileURLToPath } from "node:url";
import { freePort } from "../../bench/machine/free-port.ts";
import { accepts } from "../../bench/machine/server.ts";
import { startServerProcess } from "../../bench/machine/server-process.ts";
import { goSourcesProgram } from "./go-sources.ts";

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

/** The first build downloads and compiles some 190 modules, in 2 to 3 minutes on two cores. */
export const COLLECTOR_BUILD_MS = 8 * 60_000;

const START_DEADLINE_MS = 20_000;

/**
 * Call from a `before` hook with mocha's `this`: skips the suite when there is no Go, and fails instead on a build server.
 *
 * @param keyFile A PEM file with the private key and the certificate for TLS; without it, the Collector speaks none.
 */
export async function startCollector(
  context: Mocha.Context,
  { keyFile }: { readonly keyFile?: string } = {},
): Promise<Collector> {
  const program = await goSourcesProgram(context, {
    name: "OpenTelemetry Collector",
    program: "collector",
    folder: fileURLToPath(new URL("collector/", import.meta.url)),
    files: ["go.mod", "go.sum", "lines.go", "main.go"],
    buildDeadlineMs: COLLECTOR_BUILD_MS,
  });
  const folder = mkdtempSync(join(tmpdir(), "purser-collector-"));
  const [httpPort, grpcPort] = [await freePort(), await freePort()];
  const config = join(folder, "config.yaml");
  writeFileSync(config, configOf(httpPort, grpcPort, keyFile));
  const received: OtlpRequest[] = [];
  const lines = new PassThrough();
  createInterface({ input: lines }).on("line", (line) => received.push(JSON.parse(line) as OtlpRequest));
  const removeFolder = (): void => rmSync(folder, { recursive: true, force: true });
  try {
    const server = await startServerProcess({
      name: "the Collector",
      command: [program, "--config", `file:${config}`],
      isReady: async () => (await accepts(httpPort)) && (await accepts(grpcPort)),
      startDeadlineMs: START_DEADLINE_MS,
      onOutput: (chunk) => void lines.write(chunk),
    });
    const scheme = keyFile === undefined ? "http" : "https";
    return {
      httpUrl: `${scheme}://127.0.0.1:${httpPort}`,
      grpcUrl: `${scheme}://127.0.0.1:${grpcPort}`,
      received,
      stop: () => server.kill().finally(removeFolder),
    };
  } catch (error) {
    removeFolder();
    throw error;
  }
}

function configOf(httpPort: number, grpcPort: number, keyFile: string | undefined): string {
  const tls = keyFile === undefined ? {} : { tls: { cert_file: keyFile, key_file: keyFile } };
  const pipeline = { receivers: ["otlp"], exporters: ["lines"] };
  return JSON.stringify({
    receivers: {
      otlp: {
        protocols: {
          http: { endpoint: `127.0.0.1:${httpPort}`, ...tls },
          grpc: { endpoint: `127.0.0.1:${grpcPort}`, ...tls },
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
