// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { runCommand } from "./command.ts";
import { measure } from "./quota/measure.ts";
import { HELP, parseFlags, simulationsAlone } from "./quota/options.ts";
import { reportOf } from "./quota/report.ts";
import { runSimulations } from "./quota/run-simulations.ts";
import { isBrokenAnywhere, measureSimulations, simulationsText, writeFiles } from "./quota/simulations.ts";
import { tableOf } from "./quota/table.ts";

// Simulations alone need neither Linux nor two cores nor another program.
const alone = simulationsAlone(process.argv.slice(2));
if (alone !== undefined) await runSimulations(alone);
else {
  await runCommand({
    script: "bench:quota",
    help: HELP,
    programs: () => ["redis-server"],
    parseFlags,
    measure: async (options, children, progress) => {
      const speed = reportOf(await measure(options, children, progress), options);
      const simulations = await measureSimulations(options.simulations, progress);
      writeFiles(simulations, options.simulations);
      return { ...speed, ...simulations };
    },
    tableOf: (report) => [tableOf(report), simulationsText(report)].filter(Boolean).join("\n"),
    isMissed: (report) => report.bars.some(({ met }) => met !== true) || isBrokenAnywhere(report),
  });
}
