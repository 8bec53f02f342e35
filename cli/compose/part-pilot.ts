// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Snapshot } from "../../core/snapshot/snapshot.ts";
import { startPilotHttpServer } from "../../pilot/servers/http-server.ts";
import { createPilot, type Pilot } from "../../pilot/pilot.ts";
import { type ControlSettings, surfaceUrl } from "./control-access.ts";
import type { RunningPart } from "./stopping.ts";
import type { Runtime } from "../../kernel/ports.ts";
import { runtimeOfPart } from "./runtime.ts";

export interface PilotFlags {
  readonly host: string;
  readonly pilotPort: number;
  readonly allowedHosts: readonly string[];
  /** The access to the HTTP API; default everybody. */
  readonly control?: ControlSettings;
}

export interface PilotPart extends RunningPart {
  readonly pilot: Pilot;
  readonly url: string;
}

/** @throws {PurserError} when the port is not available. */
export async function startPilot(
  { host, pilotPort, allowedHosts, control }: PilotFlags,
  snapshot: Snapshot,
  runtime: Runtime,
): Promise<PilotPart> {
  const ours = runtimeOfPart(runtime, "pilot");
  const pilot = createPilot({ logger: ours.logger, steps: ours });
  pilot.update(snapshot);
  const where = { host, port: pilotPort, allowedHosts, ...control };
  const server = await startPilotHttpServer({ ...ours, pilot, ...where });
  return {
    name: "pilot",
    pilot,
    url: surfaceUrl(server, control),
    // The other half of the time is for the mixer, when it is in the same process.
    close: (deadlineMs) => server.close(deadlineMs / 2),
  };
}
