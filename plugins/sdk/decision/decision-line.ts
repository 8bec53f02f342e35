// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { DecisionLogLine } from "../../../core/replay/log-line.ts";
import type { DecisionInstance } from "../../../core/templates/instances.ts";
import { toJson } from "../json.ts";
import { createRedaction, type RedactionOptions } from "./redaction.ts";

/** Range of ECMAScript times; toISOString throws outside it. */
const MAX_TIME_MS = 8.64e15;

/**
 * Returns a function that makes the line of a decision log for an instance, in the form that `purser replay` reads
 * (docs/reference/decision-log.md): credentials are redacted, texts beyond 8192 characters are cut, an invalid time is the epoch.
 * The line shares nothing with the instance's bag.
 *
 * The function's argument `sampled` is the probability with which the instance was chosen, over 0 and at most 1.
 */
export function createDecisionLine(
  options: RedactionOptions,
): (instance: DecisionInstance, sampled?: number) => DecisionLogLine {
  const redaction = createRedaction(options);
  return (instance, sampled = 1) => {
    // A copy as plain JSON, whatever values the bag holds.
    const bag = JSON.parse(toJson(instance.bag) ?? "{}") as Record<string, unknown>;
    const id = (bag["request"] as { readonly id?: unknown } | undefined)?.id;
    const changed = redaction(bag);
    return {
      v: 1,
      time: isoTime(instance.timestampMs),
      name: instance.name,
      ...(typeof id === "string" ? { id } : {}),
      ...(instance.snapshot === undefined ? {} : { snapshot: instance.snapshot }),
      sampled,
      ...changed,
      bag,
      decision: {
        ...instance.decision,
        shadowDenials: [...instance.decision.shadowDenials],
        audits: [...instance.decision.audits],
        ...(instance.decision.beyond === undefined ? {} : { beyond: [...instance.decision.beyond] }),
      },
    } as DecisionLogLine;
  };
}

/** An invalid time becomes the epoch, so that every line has a time. */
function isoTime(epochMs: number): string {
  return new Date(Math.abs(epochMs) <= MAX_TIME_MS ? epochMs : 0).toISOString();
}
