// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { CallContext } from "../../../plugins/sdk/index.ts";
import type { GoogleApi } from "../api/google-api.ts";
import type { Counters } from "../counters.ts";
import { wellFormed } from "../text.ts";
import type { Metric } from "./metric.ts";

const MAX_DESCRIPTION = 1000;

/** Makes each metric's descriptor once, before its first point: a descriptor that a point makes has no description and unit. */
export class Descriptors {
  readonly #api: GoogleApi;
  readonly #project: string;
  readonly #fixedKeys: readonly string[];
  readonly #counters: Counters;
  /** Keys of labels by type. */
  readonly #made = new Map<string, ReadonlySet<string>>();

  constructor(api: GoogleApi, project: string, fixedKeys: readonly string[], counters: Counters) {
    this.#api = api;
    this.#project = project;
    this.#fixedKeys = fixedKeys;
    this.#counters = counters;
  }

  /**
   * Makes the metric's descriptor, or adds labels to it.
   *
   * @throws PurserError, retryable, when the service is not available.
   */
  async ensure(metric: Metric, call: CallContext): Promise<void> {
    const made = this.#made.get(metric.type);
    if (made !== undefined && metric.keys.every((key) => made.has(key))) return;
    const keys = new Set([...(made ?? this.#fixedKeys), ...metric.keys]);
    const body = JSON.stringify(descriptorOf(metric, keys));
    const failure = await this.#api.post(`/v3/projects/${this.#project}/metricDescriptors`, body, call);
    if (failure !== undefined && failure.status !== "ALREADY_EXISTS") {
      if (failure.error.retryable) throw failure.error;
      // Points may be accepted all the same. When they are not, they are counted.
      const message = "Cloud Monitoring refused the descriptor of a metric";
      this.#counters.warnOnce(`descriptor ${metric.type}`, message, {
        metric: metric.name,
        type: metric.type,
        error: failure.error.message,
      });
    }
    this.#made.set(metric.type, keys);
  }
}

function descriptorOf(metric: Metric, keys: ReadonlySet<string>): unknown {
  const { name, type, kind, valueType, unit, help } = metric;
  const description = wellFormed(help ?? `Reported by the Metric document ${name}.`).slice(
    0,
    MAX_DESCRIPTION,
  );
  return {
    type,
    metricKind: kind,
    valueType,
    ...(unit === undefined ? {} : { unit }),
    description: wellFormed(description),
    labels: [...keys].map((key) => ({ key, valueType: "STRING" })),
  };
}
