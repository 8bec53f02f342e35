// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { figuresOf, type ScaleFigures } from "./figures.ts";
import { plotOf } from "./plot.ts";
import type { Speeds } from "./provision.ts";
import type { Scenario } from "./scenario.ts";
import { simulate } from "./simulate.ts";

export interface Scale {
  readonly scenarios: readonly ScaleFigures[];
  readonly speeds: Speeds;
}

/** Simulates the scenarios, one after another. */
export function measureScale(wanted: readonly Scenario[], speeds: Speeds, at: (what: string) => void): Scale {
  const scenarios = wanted.map((scenario) => {
    at(`scale: ${scenario.summary}`);
    return figuresOf(scenario, simulate(scenario), speeds);
  });
  return { scenarios, speeds };
}

const COLORS = ["#1b9e77", "#d95f02", "#7570b3"];

/** Requests and calls of a key by its rank, as SVG. */
export function scalePlot({ scenarios }: Scale): string {
  const text = {
    title: "Calls for a key, and its requests",
    x: "rank of the key",
    y: "a second",
  };
  return plotOf(
    text,
    scenarios.flatMap(({ name, keys }, index) => {
      const color = COLORS[index % COLORS.length] as string;
      return [
        {
          name: `${name}: requests`,
          color,
          dashed: true,
          points: keys.map(({ rank, requests_per_s: requests }) => [rank, requests] as const),
        },
        {
          name: `${name}: calls`,
          color,
          points: keys.map(({ rank, calls_per_s: calls }) => [rank, calls] as const),
        },
      ];
    }),
  );
}
