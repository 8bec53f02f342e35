// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { createHash } from "node:crypto";
import { type DecisionInstance, toJson, valueAt } from "../../plugins/sdk/index.ts";
import type { DecisionLogConfig } from "./config.ts";

const SHARES = 2 ** 48;

/** The probability with which this request is written; undefined when it is not written. */
export function sampledAt(
  { bag, decision }: DecisionInstance,
  { sample, always }: Pick<DecisionLogConfig, "sample" | "always">,
): number | undefined {
  if (sample === 1) return 1;
  if (always.includes("denied") && !decision.allowed) return 1;
  if (always.includes("shadow-denied") && decision.shadowDenials.length > 0) return 1;
  return shareOf(bag) < sample ? sample : undefined;
}

/**
 * A number from 0 to 1 (exclusive) that depends on the request's id alone: all replicas and retries agree.
 */
function shareOf(bag: DecisionInstance["bag"]): number {
  const id = valueAt(bag, ["request", "id"]);
  // A request without an id is identified by its other attributes.
  const text = typeof id === "string" ? id : (toJson(bag) ?? "");
  return createHash("sha256").update(text).digest().readUIntBE(0, 6) / SHARES;
}
