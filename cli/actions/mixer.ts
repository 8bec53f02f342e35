// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { POLICIES } from "../../config/emptiness.ts";
import { type ControlFlags, controlSettings } from "../compose/control-access.ts";
import { type ConfigFlags, followConfig, loadConfig } from "../compose/part-config.ts";
import { type MixerFlags, startMixer } from "../compose/part-mixer.ts";
import { createRuntime, type LogFlags } from "../compose/runtime.ts";
import { stopAll, stopSignal } from "../compose/stopping.ts";
import { surviveHandlers } from "../compose/uncaught-errors.ts";

interface Flags extends MixerFlags, ConfigFlags, LogFlags, ControlFlags {
  readonly drain: number;
}

/** Runs a mixer until a stop signal. */
export async function mixer(flags: Flags): Promise<void> {
  const runtime = createRuntime(flags);
  surviveHandlers(runtime.logger);
  const control = await controlSettings(flags, runtime);
  const { source, snapshot } = await loadConfig(flags, [POLICIES], runtime);
  const configuration = { name: "configuration", close: () => source.close() };
  const part = await startMixer({ ...flags, control }, snapshot, runtime);
  const changes = followConfig(
    source,
    (next) => part.apply(next),
    (diagnostics) => part.mixer.reject(diagnostics),
    runtime,
  );
  process.stdout.write(`mixer listening on ${part.url} (version ${snapshot.version})\n`);
  await stopSignal();
  await stopAll([configuration, part, changes], flags.drain, runtime.logger);
}
