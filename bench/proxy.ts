// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { runCommand } from "./command.ts";
import { PURSER_FULL } from "./proxy/contenders/purser.ts";
import { measure } from "./proxy/measure.ts";
import { HELP, parseFlags } from "./proxy/options.ts";
import { reportOf } from "./proxy/report.ts";
import { tableOf } from "./proxy/table.ts";

await runCommand({
  script: "bench:proxy",
  help: HELP,
  programs: ({ protocol }) => [
    protocol.generator,
    "nginx",
    ...(protocol.makeCertificate === undefined ? [] : ["openssl"]),
  ],
  parseFlags,
  measure: async (options, children, progress) =>
    reportOf(await measure(options, children, progress), options),
  tableOf,
  isMissed: ({ bars, missing }) => bars.some(({ met }) => met === false) || PURSER_FULL in missing,
});
