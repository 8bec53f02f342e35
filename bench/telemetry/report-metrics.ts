// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { machine } from "../../tools/bench/machine.ts";
import { BAR_NS, measureMetrics } from "./metrics.ts";

// Prints the times of one increment: `npx tsx bench/telemetry/report-metrics.ts`. Exit code 1: the bar is missed.

const figures = measureMetrics();
const { node, cpu } = machine();
for (const figure of figures) {
  const line =
    "missing" in figure
      ? figure.missing
      : `${figure.name.padEnd(16)}${figure.increment_ns.toFixed(1).padStart(8)} ns`;
  process.stdout.write(`${line}\n`);
}
process.stdout.write(`Node.js ${node}, ${cpu}\n`);
const ours = figures.find((figure) => "name" in figure && figure.name === "adapter");
if (ours === undefined || !("name" in ours) || ours.increment_ns > BAR_NS) process.exitCode = 1;
