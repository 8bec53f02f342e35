// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { runCommand } from "./command.ts";
import { measure } from "./quota/measure.ts";
import { HELP, parseFlags } from "./quota/options.ts";
import { reportOf } from "./quota/report.ts";
import { tableOf } from "./quota/table.ts";

await runCommand({
  script: "bench:quota",
  help: HELP,
  programs: ["redis-server"],
  parseFlags,
  measure: async (options, children, progress) =>
    reportOf(await measure(options, children, progress), options),
  tableOf,
  isMissed: ({ bars }) => bars.some(({ met }) => met !== true),
});
