// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { type DecisionInstance, type DecisionLogLine, toJson } from "../../plugins/sdk/index.ts";
import { createRedaction } from "./redaction.ts";
import { sampledAt } from "./sampling.ts";
import type { DecisionLogConfig } from "./config.ts";

/** ECMAScript's times end there; outside toISOString throws. */
const MAX_TIME_MS = 8.64e15;

/** What writes an instance as one line without its line break; undefined for one that the sample leaves out. */
export function createLineFormat(
  config: DecisionLogConfig,
): (instance: DecisionInstance) => string | undefined {
  const { redact, hash, hashKey = "" } = config;
  const redaction = createRedaction({ redact, hash, hashKey });
  return (instance) => {
    const sampled = sampledAt(instance, config);
    if (sampled === undefined) return undefined;
    // A copy that is plain JSON, whatever the bag holds.
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

/** A time that is none becomes the epoch: every line has a time. */
function isoTime(epochMs: number): string {
  return new Date(Math.abs(epochMs) <= MAX_TIME_MS ? epochMs : 0).toISOString();
}
