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
  count,
  drainFlag,
  hostFlag,
  logFormatFlag,
  logLevelFlag,
  openMetricsFlag,
  portFlag,
  skipForeignFlag,
  strictFlag,
} from "./flags.ts";

export function mixerCommand(): Command {
  return new Command("mixer")
    .summary("run the mixer: decides, charges quotas, delivers telemetry")
    .description("Runs a mixer in its own process. Proxies call it over HTTP; see docs/reference/api.md.")
    .addOption(configFlag())
    .addOption(allowEmptyFlag())
    .addOption(skipForeignFlag())
    .addOption(strictFlag())
    .addOption(hostFlag())
    .addOption(portFlag("--mixer-port", "the HTTP API", 9092))
    .addOption(allowedHostsFlag())
    .addOption(controlTokenFlag())
    .addOption(openMetricsFlag())
    .addOption(controlCertFlag())
    .addOption(controlKeyFlag())
    .addOption(controlCaFlag())
    .option(
      "--max-body-bytes <n>",
      "the largest request body that the API accepts, in bytes",
      count,
      1_048_576,
    )
    .option(
      "--max-concurrent-requests <n>",
      "most requests under way; further requests get 503",
      count,
      1_024,
    )
    .option(
      "--mixers <n>",
      "number of mixers that serve the same proxies: while a quota store is unavailable, each uses its share of the limits",
      count,
      1,
    )
    .option(
      "--proxies-per-address <n>",
      "most proxies of one IP address that count for the shares; more than 16 for proxies behind one NAT",
      count,
      16,
    )
    .addOption(drainFlag())
    .addOption(logLevelFlag())
    .addOption(logFormatFlag())
    .addHelpText("after", "\nExample:\n  purser mixer -c policies/ --mixer-port 9092")
    .action(async (flags) => (await import("../actions/mixer.ts")).mixer(flags));
}
