// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { type DecisionInstance, type DecisionLogLine, toJson } from "../../plugins/sdk/index.ts";
import { createRedaction } from "./redaction.ts";
import { sampledAt } from "./sampling.ts";
import type { DecisionLogConfig } from "./config.ts";

/** Range of ECMAScript times; toISOString throws outside it. */
const MAX_TIME_MS = 8.64e15;

/**
 * Returns a function that formats an instance as one line without its line break; undefined for instances
 * outside the sample.
 */
export function createLineFormat(
  config: DecisionLogConfig,
): (instance: DecisionInstance) => string | undefined {
  const { redact, hash, hashKey = "" } = config;
  const redaction = createRedaction({ redact, hash, hashKey });
  return (instance) => {
    const sampled = sampledAt(instance, config);
    if (sampled === undefined) return undefined;
    // A copy as plain JSON, whatever values the bag holds.
    const bag = JSON.parse(toJson(instance.bag) ?? "{}") as Record<string, unknown>;
    const id = (bag["request"] as { readonly id?: unknown } | undefined)?.id;
    const changed = redaction(bag);
    const line: DecisionLogLine = {
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
      },
    } as DecisionLogLine;
    return JSON.stringify(line);
  };
}

/** An invalid time becomes the epoch, so that every line has a time. */
function isoTime(epochMs: number): string {
  return new Date(Math.abs(epochMs) <= MAX_TIME_MS ? epochMs : 0).toISOString();
}
