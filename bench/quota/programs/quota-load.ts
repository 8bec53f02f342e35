// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

// Arguments: contender, port of redis-server, decisions under way, seconds, seconds of warm-up. Prints a Run as JSON.
import { setTimeout as sleep } from "node:timers/promises";
import { isPromise } from "../../../kernel/maybe-promise.ts";
import { COUNTS, createDecider } from "../deciders.ts";
import type { Run } from "../measure.ts";

/** Synchronous decisions in a turn of the event loop. */
const TURN = 10_000;

const [name = "", port, concurrency, seconds, warmUp] = process.argv.slice(2);
const decider = createDecider(name, Number(port));
let decided = 0;
let stopped = false;

async function ask(first: number): Promise<void> {
  for (let count = first; !stopped; count = (count + 1) % COUNTS) {
    const left = decider.decide(count);
    if (isPromise(left)) await left;
    decided++;
    if (decided % TURN === 0 && !isPromise(left)) await sleep(0);
  }
}

const askers = Array.from({ length: Number(concurrency) }, (_, asker) =>
  ask(Math.floor((asker * COUNTS) / Number(concurrency))),
);
await sleep(Number(warmUp) * 1_000);
const before = { decided, ms: performance.now(), cpu: process.cpuUsage() };
await sleep(Number(seconds) * 1_000);
const count = decided - before.decided;
const tookMs = performance.now() - before.ms;
const { user, system } = process.cpuUsage(before.cpu);
stopped = true;
await Promise.all(askers);
await decider.close();
const run: Run = { decisionsPerS: (count * 1_000) / tookMs, cpuUs: (user + system) / count };
process.stdout.write(JSON.stringify(run));
