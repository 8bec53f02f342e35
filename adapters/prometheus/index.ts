// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { type ConfigFault, defineAdapter, durationMs } from "../../plugins/sdk/index.ts";
import { CONFIG } from "./config.ts";
import { Families } from "./families.ts";
import { SelfMetrics } from "./self-metrics.ts";

/** Prefix of the names of the program's own metrics. */
const OWN_PREFIX = "purser_";

/** Keeps metrics in this process; Prometheus scrapes them from the mixer's /metrics. */
export const prometheus = defineAdapter({
  name: "prometheus",
  description: "Keeps metrics in this process, for Prometheus to scrape from the mixer's /metrics.",
  templates: ["metric"],
  confined: true,
  config: CONFIG,
  check({ prefix, expireAfter }) {
    const faults: ConfigFault[] = [];
    if (prefix.startsWith(OWN_PREFIX))
      faults.push({ path: ["prefix"], message: `names that begin with ${OWN_PREFIX} are Purser's own` });
    if (expireAfter !== undefined && durationMs(expireAfter) <= 0) {
      const message = "expireAfter must be more than 0; remove it to keep series for ever";
      faults.push({ path: ["expireAfter"], message });
    }
    return faults;
  },
  build({ config, clock, handler, logger }) {
    const { prefix, maxSeries, expireAfter, nativeHistograms, createdSamples, exemplars } = config;
    const self = new SelfMetrics(handler, clock);
    const families = new Families({
      self,
      clock,
      logger,
      prefix,
      maxSeries,
      expireAfterMs: expireAfter === undefined ? undefined : durationMs(expireAfter),
      nativeHistograms,
      createdSamples,
      exemplars,
    });
    return {
      metric(instances) {
        families.observe(instances);
      },
      exposition() {
        families.expire();
        return [...self.exposed(), ...families.exposed()];
      },
      close() {
        families.clear();
      },
    };
  },
});
