// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { runCommand } from "./command.ts";
import { measure } from "./telemetry/measure.ts";
import { HELP, parseFlags } from "./telemetry/options.ts";
import { reportOf } from "./telemetry/report.ts";
import { tableOf } from "./telemetry/table.ts";

await runCommand({
  script: "bench:telemetry",
  help: HELP,
  programs: () => ["wrk", "nginx"],
  parseFlags,
  measure: async (options, children, progress) =>
    reportOf(await measure(options, children, progress), options),
  tableOf,
  isMissed: ({ bars }) => bars.some(({ met }) => met !== true),
});
