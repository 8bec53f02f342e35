// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { defineAdapter, durationMs } from "../../plugins/sdk/index.ts";
import { CONFIG } from "./config.ts";
import { Families } from "./families.ts";
import { SelfMetrics } from "./self-metrics.ts";

/** Keeps metrics in this process; Prometheus scrapes them from the mixer's /metrics. */
export const prometheus = defineAdapter({
  name: "prometheus",
  description: "Exposes metrics in Prometheus' text form at the mixer's /metrics.",
  templates: ["metric"],
  config: CONFIG,
  check({ expireAfter }) {
    if (expireAfter === undefined || durationMs(expireAfter) > 0) return [];
    return [
      {
        path: ["expireAfter"],
        message: "expireAfter must be more than 0; remove it to keep series for ever",
      },
    ];
  },
  build({ config, clock, handler, logger }) {
    const self = new SelfMetrics(handler);
    const families = new Families({
      self,
      clock,
      logger,
      prefix: config.prefix,
      maxSeries: config.maxSeries,
      expireAfterMs: config.expireAfter === undefined ? undefined : durationMs(config.expireAfter),
    });
    return {
      metric(instances) {
        families.observe(instances);
      },
      exposition() {
        families.expire();
        return self.text() + families.text();
      },
      close() {
        families.clear();
      },
    };
  },
});
