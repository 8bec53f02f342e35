// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { type MeshFlags, runMesh } from "../compose/run-mesh.ts";
import { createRuntime } from "../compose/runtime.ts";
import { stopSignal } from "../compose/stopping.ts";
import { surviveHandlers } from "../compose/uncaught-errors.ts";
import { meshSummary } from "../output/mesh-summary.ts";

interface Flags extends Omit<MeshFlags, "sidecar" | "drainMs"> {
  readonly sidecar?: MeshFlags["sidecar"];
  readonly drain: number;
}

/** Runs a whole mesh in this process until a stop signal. */
export async function run(flags: Flags): Promise<void> {
  const runtime = createRuntime(flags);
  surviveHandlers(runtime.logger);
  const mesh = await runMesh({ ...flags, sidecar: flags.sidecar ?? [], drainMs: flags.drain }, runtime);
  process.stdout.write(meshSummary(mesh));
  await stopSignal();
  await mesh.close(flags.drain);
}
