// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { measure } from "./check/measure.ts";
import { HELP, parseFlags } from "./check/options.ts";
import { reportOf, tableOf } from "./check/report.ts";
import { runCommand } from "./command.ts";

await runCommand({
  script: "bench:check",
  help: HELP,
  programs: () => ["wrk"],
  parseFlags,
  measure: async (options, children, progress) =>
    reportOf(await measure(options, children, progress), options),
  tableOf,
  isMissed: ({ bars }) => bars.some(({ met }) => met !== true),
});
