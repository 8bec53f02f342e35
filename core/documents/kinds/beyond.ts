// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import Type, { type Static } from "typebox";
import type { SpecFault } from "../../../kernel/diagnostic.ts";
import { parseDurationMs } from "../../../kernel/duration.ts";
import { Closed, Duration, Reference } from "./fields.ts";
import { headerMapFaults } from "./header-faults.ts";
import { MapOf } from "./map-of.ts";

export const DEFAULT_QUEUE_LENGTH = 100;

/** A longer wait is a job for a queue of the application. */
const MAX_QUEUE_MS = 60_000;
const MAX_QUEUE_LENGTH = 10_000;
const MAX_STEPS = 8;

const BeyondStep = Closed({
  queue: Type.Optional(
    Closed(
      {
        atMost: Duration("The longest wait; at most 60s."),
        length: Type.Optional(
          Type.Integer({
            minimum: 1,
            maximum: MAX_QUEUE_LENGTH,
            description: `The most requests of this policy that wait in one proxy process; default ${DEFAULT_QUEUE_LENGTH}.`,
          }),
        ),
      },
      { description: "Waits until the quota has room: first in, first out for each count." },
    ),
  ),
  draw: Type.Optional(
    Reference("QuotaPolicy", "Charges the same amount to this QuotaPolicy's quota instead."),
  ),
  degrade: Type.Optional(
    Closed(
      {
        headers: MapOf(Type.String(), {
          minProperties: 1,
          description: "Request headers to set, by name in any case, as literal text.",
        }),
      },
      { description: "Charges nothing, sets request headers, and routes the request by them." },
    ),
  ),
});

/** The field `beyond` of a QuotaPolicy. */
export const BEYOND = Type.Array(BeyondStep, {
  minItems: 1,
  maxItems: MAX_STEPS,
  description:
    "What happens to a request that the limit refuses: the first step that helps decides. Absent, or when none helps: the request is refused.",
});

type Beyond = Static<typeof BEYOND>;

export function beyondFaults(beyond: Beyond = []): readonly SpecFault[] {
  return beyond.flatMap((step, index) => {
    const { queue, draw, degrade } = step;
    const path = ["beyond", index] as const;
    const at = `spec.beyond[${index}]`;
    if (Object.keys(step).length !== 1)
      return [{ path, message: `${at} must have exactly one of queue, draw and degrade` }];
    if (queue !== undefined) {
      const atMostMs = parseDurationMs(queue.atMost) as number;
      if (atMostMs < 1 || atMostMs > MAX_QUEUE_MS)
        return [
          {
            path: [...path, "queue", "atMost"],
            message: `${at}.queue.atMost must be more than 0s and at most 60s`,
          },
        ];
      return repeated(beyond, index, (other) => other.queue !== undefined)
        ? [{ path: [...path, "queue"], message: `${at} is a second queue; a request waits once` }]
        : [];
    }
    if (draw !== undefined)
      return repeated(beyond, index, (other) => other.draw === draw)
        ? [{ path: [...path, "draw"], message: `${at} draws on ${draw} again; name each policy once` }]
        : [];
    const faults = headerMapFaults(degrade?.headers, [...path, "degrade", "headers"], "text");
    return index === beyond.length - 1
      ? faults
      : [...faults, { path: [...path, "degrade"], message: `${at} always helps; put degrade last` }];
  });
}

function repeated(beyond: Beyond, index: number, is: (step: Beyond[number]) => boolean): boolean {
  return beyond.findIndex(is) < index;
}
