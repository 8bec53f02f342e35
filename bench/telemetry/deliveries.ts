// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { setTimeout as sleep } from "node:timers/promises";

/** Numbers of a queue since its mixer started. */
export interface QueueCounts {
  readonly accepted: number;
  readonly delivered: number;
  readonly dropped: number;
  readonly waiting: number;
}

/** The counts of each queue of a mixer, by `handler/template`. */
export type Counts = ReadonlyMap<string, QueueCounts>;

/** The part of the answer of `GET /v1/handlers` that the bench reads. */
interface HandlersReply {
  readonly handlers: readonly {
    readonly name: string;
    readonly queues: readonly (Omit<QueueCounts, "dropped"> & {
      readonly template: string;
      readonly dropped: Readonly<Record<string, number>>;
    })[];
  }[];
}

/** Time that the queues may take to become empty after a load, in milliseconds. */
const DRAIN_DEADLINE_MS = 8_000;
/** Pause between two questions whether the queues are empty. */
const POLL_MS = 100;

export function countsOf({ handlers }: HandlersReply): Counts {
  const entries = handlers.flatMap(({ name, queues }) =>
    queues.map(({ template, accepted, delivered, waiting, dropped }) => {
      const allDropped = Object.values(dropped).reduce((sum, items) => sum + items, 0);
      return [`${name}/${template}`, { accepted, delivered, waiting, dropped: allDropped }] as const;
    }),
  );
  return new Map(entries);
}

/** The counts of the time between two readings; `waiting` is that of the later one. Queues without instances are left out. */
export function countsBetween(before: Counts, after: Counts): Counts {
  const entries = [...after].map(([queue, { accepted, delivered, dropped, waiting }]) => {
    const start = before.get(queue) ?? { accepted: 0, delivered: 0, dropped: 0 };
    return [
      queue,
      {
        accepted: accepted - start.accepted,
        delivered: delivered - start.delivered,
        dropped: dropped - start.dropped,
        waiting,
      },
    ] as const;
  });
  return new Map(entries.filter(([, { accepted }]) => accepted > 0));
}

/** The sums of the queues' counts. */
export function totalOf(counts: Counts): QueueCounts {
  const total = { accepted: 0, delivered: 0, dropped: 0, waiting: 0 };
  for (const queue of counts.values()) {
    total.accepted += queue.accepted;
    total.delivered += queue.delivered;
    total.dropped += queue.dropped;
    total.waiting += queue.waiting;
  }
  return total;
}

export async function readCounts(mixerPort: number): Promise<Counts> {
  const response = await fetch(`http://127.0.0.1:${mixerPort}/v1/handlers`);
  return countsOf((await response.json()) as HandlersReply);
}

/** Resolves with the counts once no instance waits, or after a deadline. */
export async function drained(mixerPort: number): Promise<Counts> {
  const endMs = performance.now() + DRAIN_DEADLINE_MS;
  for (;;) {
    const counts = await readCounts(mixerPort);
    if (totalOf(counts).waiting === 0 || performance.now() > endMs) return counts;
    await sleep(POLL_MS);
  }
}
