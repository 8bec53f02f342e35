// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { Command } from "commander";
import { ROUTES } from "../../config/emptiness.ts";
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
import { type ConfigFlags, followConfig, loadConfig } from "../compose/part-config.ts";
import { type PilotFlags, startPilot } from "../compose/part-pilot.ts";
import { stopAll, stopSignal, surviveRejections } from "../compose/stopping.ts";
import { createRuntime, type LogFlags } from "../compose/runtime.ts";

interface Flags extends PilotFlags, ConfigFlags, LogFlags {
  readonly drain: number;
}

export function pilotCommand(): Command {
  return new Command("pilot")
    .summary("run pilot: supplies proxies with listeners, routes, clusters and endpoints")
    .description("Runs pilot in its own process. Proxies call it over HTTP; see docs/api.md.")
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
      const runtime = createRuntime(flags);
      surviveRejections(runtime.logger);
      const { source, snapshot } = await loadConfig(flags, [ROUTES], runtime);
      const configuration = { name: "configuration", close: () => source.close() };
      const pilot = await startPilot(flags, snapshot, runtime);
      const take = (next: typeof snapshot): Promise<readonly never[]> => {
        pilot.pilot.update(next);
        return Promise.resolve([]);
      };
      const changes = followConfig(source, take, (diagnostics) => pilot.pilot.reject(diagnostics), runtime);
      process.stdout.write(`pilot listening on ${pilot.url} (version ${snapshot.version})\n`);
      await stopSignal();
      await stopAll([configuration, pilot, changes], flags.drain, runtime.logger);
    });
}
