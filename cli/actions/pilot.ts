// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { ROUTES } from "../../config/emptiness.ts";
import { type ControlFlags, controlSettings } from "../compose/control-access.ts";
import { type ConfigFlags, followConfig, loadConfig } from "../compose/part-config.ts";
import { type PilotFlags, startPilot } from "../compose/part-pilot.ts";
import { createRuntime, type LogFlags } from "../compose/runtime.ts";
import { stopAll, stopSignal } from "../compose/stopping.ts";
import { surviveHandlers } from "../compose/uncaught-errors.ts";

interface Flags extends PilotFlags, ConfigFlags, LogFlags, ControlFlags {
  readonly drain: number;
}

/** Runs pilot until a stop signal. */
export async function pilot(flags: Flags): Promise<void> {
  const runtime = createRuntime(flags);
  surviveHandlers(runtime.logger);
  const control = await controlSettings(flags, runtime);
  const { source, snapshot } = await loadConfig(flags, [ROUTES], runtime);
  const configuration = { name: "configuration", close: () => source.close() };
  const part = await startPilot({ ...flags, control }, snapshot, runtime);
  const take = (next: typeof snapshot): Promise<readonly never[]> => {
    part.pilot.update(next);
    return Promise.resolve([]);
  };
  const changes = followConfig(source, take, (diagnostics) => part.pilot.reject(diagnostics), runtime);
  process.stdout.write(`pilot listening on ${part.url} (version ${snapshot.version})\n`);
  await stopSignal();
  await stopAll([configuration, part, changes], flags.drain, runtime.logger);
}
