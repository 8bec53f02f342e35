// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

const RUNS = 12;
/** Duration of the calibration loop, and its turns, on a quiet machine with a 2.5 GHz core. */
const CALIBRATION_MS = 200;
const CALIBRATION_TURNS = 3_000_000;

/**
 * The minimum duration of several runs, in milliseconds; the first one of at most `enoughMs` suffices. The processor's time where
 * that is less: a busy machine stops a process for longer than any run takes.
 */
export function leastMs(run: () => void, enoughMs = 0): number {
  let least = Infinity;
  for (let turn = 0; turn < RUNS && least > enoughMs; turn++) {
    const [started, before] = [performance.now(), process.cpuUsage()];
    run();
    const { user, system } = process.cpuUsage(before);
    least = Math.min(least, performance.now() - started, (user + system) / 1_000);
  }
  return least;
}

/** Slowness of this machine now, relative to a quiet machine; at least 1. Takes up to three seconds. */
export function slowness(): number {
  const took = leastMs(() => {
    const words: Record<string, number> = {};
    for (let turn = 0; turn < CALIBRATION_TURNS; turn++)
      words[`k${turn & 15}`] = (words[`k${turn & 15}`] ?? 0) + 1;
  }, CALIBRATION_MS);
  return Math.max(1, took / CALIBRATION_MS);
}
