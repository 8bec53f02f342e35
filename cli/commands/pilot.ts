// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { Command } from "commander";
import {
  allowedHostsFlag,
  allowEmptyFlag,
  configFlag,
  controlCaFlag,
  controlCertFlag,
  controlKeyFlag,
  controlTokenFlag,
  drainFlag,
  hostFlag,
  logFormatFlag,
  logLevelFlag,
  openMetricsFlag,
  portFlag,
  skipForeignFlag,
  strictFlag,
} from "./flags.ts";

export function pilotCommand(): Command {
  return new Command("pilot")
    .summary("run pilot: supplies proxies with listeners, routes, clusters and endpoints")
    .description("Runs pilot in its own process. Proxies call it over HTTP; see docs/reference/api.md.")
    .addOption(configFlag())
    .addOption(allowEmptyFlag())
    .addOption(skipForeignFlag())
    .addOption(strictFlag())
    .addOption(hostFlag())
    .addOption(portFlag("--pilot-port", "the HTTP API", 15010))
    .addOption(allowedHostsFlag())
    .addOption(controlTokenFlag())
    .addOption(openMetricsFlag())
    .addOption(controlCertFlag())
    .addOption(controlKeyFlag())
    .addOption(controlCaFlag())
    .addOption(drainFlag())
    .addOption(logLevelFlag())
    .addOption(logFormatFlag())
    .addHelpText("after", "\nExample:\n  purser pilot -c mesh/")
    .action(async (flags) => (await import("../actions/pilot.ts")).pilot(flags));
}
