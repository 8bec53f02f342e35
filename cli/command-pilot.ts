// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { Command } from "commander";
import { ROUTES } from "../config/emptiness.ts";
import {
  allowedHostsFlag,
  allowEmptyFlag,
  configFlag,
  drainFlag,
  hostFlag,
  logFormatFlag,
  logLevelFlag,
  portFlag,
} from "./flags.ts";
import { type ConfigFlags, followConfig, loadConfig } from "./part-config.ts";
import { type PilotFlags, startPilot } from "./part-pilot.ts";
import { stopAll, stopSignal, surviveRejections } from "./stopping.ts";
import { createWorld, type LogFlags } from "./world.ts";

interface Flags extends PilotFlags, ConfigFlags, LogFlags {
  readonly drain: number;
}

export function pilotCommand(): Command {
  return new Command("pilot")
    .summary("run pilot: supplies proxies with listeners, routes, clusters and endpoints")
    .description("Runs pilot alone. Proxies reach it over HTTP; see docs/api.md.")
    .addOption(configFlag())
    .addOption(allowEmptyFlag())
    .addOption(hostFlag())
    .addOption(portFlag("--pilot-port", "the HTTP API", 15010))
    .addOption(allowedHostsFlag())
    .addOption(drainFlag())
    .addOption(logLevelFlag())
    .addOption(logFormatFlag())
    .addHelpText("after", "\nExample:\n  purser pilot -c mesh/")
    .action(async (flags: Flags) => {
      const world = createWorld(flags);
      surviveRejections(world.logger);
      const { source, snapshot } = await loadConfig(flags, [ROUTES], world);
      const configuration = { name: "configuration", close: () => source.close() };
      const pilot = await startPilot(flags, snapshot, world);
      const take = (next: typeof snapshot): Promise<readonly never[]> => {
        pilot.pilot.update(next);
        return Promise.resolve([]);
      };
      const changes = followConfig(source, take, (diagnostics) => pilot.pilot.reject(diagnostics), world);
      process.stdout.write(`pilot listening on ${pilot.url} (version ${snapshot.version})\n`);
      await stopSignal();
      await stopAll([configuration, pilot, changes], flags.drain, world.logger);
    });
}
