// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { createDecisionLine, type DecisionInstance } from "../../plugins/sdk/index.ts";
import { sampledAt } from "./sampling.ts";
import type { DecisionLogConfig } from "./config.ts";

/**
 * Returns a function that formats an instance as one line without its line break; undefined for instances
 * outside the sample.
 */
export function createLineFormat(
  config: DecisionLogConfig,
): (instance: DecisionInstance) => string | undefined {
  const { redact, hash, hashKey = "" } = config;
  const lineOf = createDecisionLine({ redact, hash, hashKey });
  return (instance) => {
    const sampled = sampledAt(instance, config);
    return sampled === undefined ? undefined : JSON.stringify(lineOf(instance, sampled));
  };
}
