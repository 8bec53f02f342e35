// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { createRequire } from "node:module";
import { setFlagsFromString } from "node:v8";

/**
 * Bytes of bytecode that a function runs before V8 considers its optimization: four times V8's default.
 *
 * V8 optimizes functions on threads of its own. On one core these take the time of the requests: with the default, some
 * 250 functions are optimized in the first second, and 20 before a port is open, for 100 ms of CPU time.
 */
const INTERRUPT_BUDGET_BYTES = 270_336;

/** V8's default. */
const DEFAULT_BUDGET_BYTES = 67_584;

/** Time from the start after which V8 has its own budget again: a proxy under full load is then as fast as soon as ever. */
const DEFERRED_MS = 2_000;

/** Built-in modules that every service loads. */
const SERVICE_MODULES = [
  "assert",
  "child_process",
  "cluster",
  "crypto",
  "dns",
  "fs/promises",
  "https",
  "net",
  "os",
  "perf_hooks",
  "tty",
  "worker_threads",
  "zlib",
];

/**
 * Makes V8 of Node.js 20 optimize later in this process for a while, for a shorter start and shorter stalls after it.
 *
 * Call it after the bundle is compiled: V8 refuses code caches that were made with other flags. That includes the code
 * caches of Node's own modules, which are therefore loaded first; without a code cache they take 15 ms longer.
 */
export function deferOptimization(): void {
  // Later versions of V8 have Maglev between the interpreter and TurboFan, and no such flag.
  if (!process.versions.v8.startsWith("11.")) return;
  const require = createRequire(import.meta.url);
  for (const name of SERVICE_MODULES) require(`node:${name}`);
  setFlagsFromString(`--interrupt-budget=${INTERRUPT_BUDGET_BYTES}`);
  setTimeout(() => setFlagsFromString(`--interrupt-budget=${DEFAULT_BUDGET_BYTES}`), DEFERRED_MS).unref();
}
