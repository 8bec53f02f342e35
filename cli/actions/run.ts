// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { ErrorCode } from "../../kernel/error-catalog.ts";
import { messageOf } from "../../kernel/errors.ts";
import { type MeshFlags, runMesh } from "../compose/run-mesh.ts";
import { createRuntime } from "../compose/runtime.ts";
import { stopSignal } from "../compose/stopping.ts";
import { surviveHandlers } from "../compose/uncaught-errors.ts";
import { meshSummary } from "../output/mesh-summary.ts";
import { adviceForEmptyFolder, PRESENT_FOLDER } from "../output/present-folder.ts";

interface Flags extends Omit<MeshFlags, "config" | "sidecar" | "drainMs"> {
  readonly config?: MeshFlags["config"];
  readonly sidecar?: MeshFlags["sidecar"];
  readonly drain: number;
}

const EMPTY: ErrorCode = "PURSER_CONFIG_EMPTY";

/** Runs a whole mesh in this process until a stop signal. */
export async function run(flags: Flags): Promise<void> {
  const runtime = createRuntime(flags);
  surviveHandlers(runtime.logger);
  const { config = PRESENT_FOLDER, sidecar = [], drain } = flags;
  const mesh = await runMesh({ ...flags, config, sidecar, drainMs: drain }, runtime).catch(
    (error: unknown) => {
      if (flags.config === undefined && messageOf(error).includes(EMPTY))
        process.stderr.write(adviceForEmptyFolder("purser run -c FOLDER"));
      throw error;
    },
  );
  process.stdout.write(meshSummary(mesh));
  await stopSignal();
  await mesh.close(flags.drain);
}
