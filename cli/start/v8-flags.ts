// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { createRequire } from "node:module";
import { setFlagsFromString } from "node:v8";

interface Flag {
  readonly name: string;
  /** The last major version of V8 with this flag: V8 prints an error for a flag that it does not know. */
  readonly untilVersion: number;
}

/** A flag of V8 that has another value while a service starts. */
interface StartFlag extends Flag {
  readonly atStart: number;
  readonly byDefault: number;
}

/** The interrupt budget and the growth factor are measured by `npm run bench:proxy` (start-up, stall and memory of purser-full). */
export const START_FLAGS: readonly StartFlag[] = [
  // Bytes of bytecode that a function runs before V8 considers its optimization, which takes place on threads of V8. On
  // one core these take the time of the requests: by default, some 250 functions are optimized in the first second, and 20
  // before a port is open, for 100 ms of CPU time. V8 12 (Node.js 22) has Maglev, and this flag has no such effect.
  { name: "interrupt-budget", atStart: 270_336, byDefault: 67_584, untilVersion: 11 },
  // Factor by which a half of the young generation grows when many objects survive, as the modules and documents of a start
  // do. By default it grows from 1 to 8 MB, and an idle process keeps both halves, 14 MB of resident memory more.
  { name: "semi-space-growth-factor", atStart: 1, byDefault: 2, untilVersion: 13 },
];

/** A flag of V8 that has another value for as long as the process runs. */
interface ServiceFlag extends Flag {
  readonly argument: string;
  /** The default as `node --v8-options` shows it. */
  readonly byDefault: string;
}

/**
 * Flags of a process that serves.
 *
 * `--no-allocation-site-pretenuring`: V8 allocates objects in the old space once most of those that the same literal made have
 * survived, and does not change its mind. While a service starts, reports and log entries wait for their batches and survive; under
 * load they live for milliseconds, and would be garbage that only full collections free. Measured with purser-full: in 8 of 22 starts a
 * scavenge promoted 135 KB or more where it promotes 35 KB, in one of them 930 KB; with the flag in none of 12 (Node.js 20).
 *
 * `--heap-growing-percent=100`: a process that promotes hardly anything may grow by a tenth before V8's next full collection, which is 3 MB.
 * Code that is optimized anew and new connections take that in a second: after 40 s of standstill, half load met two full collections in
 * its first three seconds, for 45 ms of waiting each. The old generation may double instead, which costs memory: 142 MB after `bench:proxy`, 116 and 136 MB without.
 */
export const SERVICE_FLAGS: readonly ServiceFlag[] = [
  {
    name: "allocation-site-pretenuring",
    argument: "--no-allocation-site-pretenuring",
    byDefault: "--allocation-site-pretenuring",
    untilVersion: 13,
  },
  {
    name: "heap-growing-percent",
    argument: "--heap-growing-percent=100",
    byDefault: "--heap-growing-percent=0",
    untilVersion: 13,
  },
];

/** Time from the start after which the flags have V8's defaults: a proxy under full load is then as fast as soon as ever. */
const START_MS = 2_000;

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
 * Gives V8 the flags of a service, and those of a start for a while, for a shorter start with less memory and shorter stalls after it.
 *
 * Call it after the bundle is compiled: V8 refuses code caches that were made with other flags. That includes the code
 * caches of Node's own modules, which are therefore loaded first; without a code cache they take 15 ms longer.
 */
export function setStartFlags(): void {
  const require = createRequire(import.meta.url);
  for (const name of SERVICE_MODULES) require(`node:${name}`);
  const version = Number.parseInt(process.versions.v8, 10);
  const isKnown = ({ untilVersion }: Flag): boolean => version <= untilVersion;
  for (const { argument } of SERVICE_FLAGS.filter(isKnown)) setFlagsFromString(argument);
  const flags = START_FLAGS.filter(isKnown);
  for (const { name, atStart } of flags) setFlagsFromString(`--${name}=${atStart}`);
  setTimeout(() => {
    for (const { name, byDefault } of flags) setFlagsFromString(`--${name}=${byDefault}`);
  }, START_MS).unref();
}
