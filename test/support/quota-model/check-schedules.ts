// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import fc from "fast-check";

export interface ScheduleRuns {
  /** Schedules in all: QUOTA_MODEL_RUNS, or this many. */
  readonly usually: number;
  /** Schedules at a time, for a store that answers later; default 1. */
  readonly atATime?: number;
}

/** Number of schedules of a run, from the environment. */
export function scheduleCount(usually: number): number {
  return Number(process.env["QUOTA_MODEL_RUNS"] ?? usually);
}

/**
 * Checks a property of random schedules, several at a time, each in a lane with a seed of its own. A failure names the
 * seed of its lane, which the first lane has when QUOTA_MODEL_SEED is set to it. A long run tells its seeds.
 */
export async function checkSchedules<T>(
  schedules: fc.Arbitrary<T>,
  check: (schedule: T) => Promise<void>,
  { usually, atATime = 1 }: ScheduleRuns,
): Promise<void> {
  const count = scheduleCount(usually);
  const firstSeed = Number(process.env["QUOTA_MODEL_SEED"] ?? Math.floor(Math.random() * 2 ** 30));
  const startMs = performance.now();
  let checked = 0;
  let failedLane: number | undefined;
  const lane = async (index: number): Promise<void> => {
    const property = fc.asyncProperty(schedules, async (schedule) => {
      // While one lane shrinks its failure, the others end.
      if (failedLane !== undefined && failedLane !== index) return;
      checked++;
      try {
        await check(schedule);
      } catch (error) {
        failedLane ??= index;
        throw error;
      }
    });
    await fc.assert(property, { numRuns: Math.ceil(count / atATime), seed: firstSeed + index });
  };
  await Promise.all(Array.from({ length: atATime }, (_, index) => lane(index)));
  if (count <= usually) return;
  const lastSeed = firstSeed + atATime - 1;
  const elapsedS = Math.round((performance.now() - startMs) / 1_000);
  console.info(`      ${checked} schedules with the seeds ${firstSeed} to ${lastSeed} in ${elapsedS} s`);
}
