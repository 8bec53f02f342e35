// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { CACHE } from "../machine/repository.ts";

/**
 * The newest OpenTelemetry SDK that runs on Node 20. It is installed into the cache folder, not by package.json, because it
 * refuses the version of @opentelemetry/api that Purser uses.
 */
const PACKAGES = ["@opentelemetry/sdk-metrics@2.12.1", "@opentelemetry/api@1.9.0"];

/** Adds to the counter of these labels. */
export type Count = (labels: Readonly<Record<string, string>>) => void;

/** A counter of the OpenTelemetry SDK, or the reason that there is none. */
export function otelCounter(name: string): Count | { readonly missing: string } {
  const folder = join(CACHE, "opentelemetry-2.12.1");
  const module = "@opentelemetry/sdk-metrics";
  try {
    if (!existsSync(join(folder, "node_modules", module, "package.json"))) {
      mkdirSync(folder, { recursive: true });
      const flags = ["--prefix", folder, "--no-audit", "--no-fund", "--ignore-scripts"];
      execFileSync("npm", ["install", ...flags, ...PACKAGES], { cwd: folder, stdio: "pipe" });
    }
    const { MeterProvider, MetricReader } = createRequire(join(folder, "package.json"))(
      module,
    ) as OtelMetrics;
    // Without a reader, the SDK counts nothing.
    class Reader extends MetricReader {
      onShutdown(): Promise<void> {
        return Promise.resolve();
      }
      onForceFlush(): Promise<void> {
        return Promise.resolve();
      }
    }
    const counter = new MeterProvider({ readers: [new Reader()] }).getMeter("bench").createCounter(name);
    return (labels) => counter.add(1, labels);
  } catch (error) {
    return { missing: `npm could not install ${PACKAGES.join(" ")} into ${folder}: ${String(error)}` };
  }
}

/** The part of the SDK's interface that the bench uses. */
interface OtelMetrics {
  readonly MetricReader: new () => object;
  readonly MeterProvider: new (options: {
    readers: readonly unknown[];
  }) => {
    getMeter(name: string): {
      createCounter(name: string): { add(value: number, labels: Readonly<Record<string, string>>): void };
    };
  };
}
