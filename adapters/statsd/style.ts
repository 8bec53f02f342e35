// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { MetricInstance } from "../../plugins/sdk/index.ts";
import type { StatsdConfig } from "./config.ts";
import { toDogName, toLevel, toName, toTag } from "./names.ts";

/** How a dialect writes a metric: `head:VALUE|TYPE` and `tail`. */
export interface Style {
  head(metric: MetricInstance): string;
  /** Tags and other fields, each with its `|`. */
  tail(metric: MetricInstance): string;
  readonly histogram: "ms" | "h" | "d";
  /** Whether a line may have several values of a histogram. */
  readonly packs: boolean;
  /** Whether a signed gauge changes the last value instead of replacing it. */
  readonly signedGaugeIsChange: boolean;
}

export function styleOf(config: StatsdConfig): Style {
  return config.dialect === "dogstatsd" ? dogstatsd(config) : statsd(config);
}

function statsd({ prefix, labels, histogram = "ms" }: StatsdConfig): Style {
  return {
    head({ name, labels: values }) {
      const head = prefix + toName(name);
      if (labels === "drop") return head;
      return [head, ...Object.values(values).map(toLevel)].join(".");
    },
    tail: () => "",
    histogram,
    packs: false,
    signedGaugeIsChange: true,
  };
}

function dogstatsd(config: StatsdConfig): Style {
  const { prefix, histogram = "d", packValues, timestamps } = config;
  const { containerId, externalData, cardinality } = config;
  const common = Object.entries(config.tags).map(([key, value]) => toTag(key, value));
  const end = [
    containerId === undefined ? "" : `|c:${containerId}`,
    externalData === undefined ? "" : `|e:${externalData}`,
    cardinality === undefined ? "" : `|card:${cardinality}`,
  ].join("");
  return {
    head: ({ name }) => toDogName(prefix + name),
    tail({ labels, type, timestampMs }) {
      const tags = Object.entries(labels).map(([key, value]) => toTag(key, value));
      const all = [...common, ...tags];
      const hasTime = timestamps && type !== "histogram" && timestampMs >= 1000;
      const time = hasTime ? `|T${Math.floor(timestampMs / 1000)}` : "";
      return `${all.length === 0 ? "" : `|#${all.join(",")}`}${end}${time}`;
    },
    histogram,
    packs: packValues,
    signedGaugeIsChange: false,
  };
}
