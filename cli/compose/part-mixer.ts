// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Diagnostic } from "../../kernel/diagnostic.ts";
import type { Snapshot } from "../../core/snapshot/snapshot.ts";
import { startMixerHttpServer } from "../../mixer/servers/http-server.ts";
import { createMixer, type Mixer } from "../../mixer/mixer.ts";
import { createHttpClient, type OwnedHttpClient } from "../../plugins/sdk/http/client.ts";
import { type ControlSettings, surfaceUrl } from "./control-access.ts";
import { buildInThread } from "./threads/thread-handler.ts";
import { filesBeside, spoolBeside } from "./files.ts";
import { ConfigRejected } from "../../config/config-rejected.ts";
import type { RunningPart } from "./stopping.ts";
import type { Runtime } from "../../kernel/ports.ts";
import { runtimeOfPart } from "./runtime.ts";

export interface MixerFlags {
  readonly host: string;
  readonly mixerPort: number;
  readonly allowedHosts: readonly string[];
  readonly maxBodyBytes: number;
  readonly maxConcurrentRequests: number;
  /**
   * Number of mixers that share the proxies, and so the limits while a quota store is unavailable; default 1.
   */
  readonly mixers?: number;
  /** Most remote proxies of one address that count for the shares; default 16. */
  readonly proxiesPerAddress?: number;
  /** The access to the HTTP API; default everybody. */
  readonly control?: ControlSettings;
}

export interface MixerPart extends RunningPart {
  readonly mixer: Mixer;
  /** URL of the mixer's HTTP API. */
  readonly url: string;
  /** Puts a later snapshot in force; returns the diagnostics if it is refused, otherwise none. */
  apply(snapshot: Snapshot): Promise<readonly Diagnostic[]>;
}

/** @throws {PurserError} when the snapshot's handlers cannot be built, or the port is not available. */
export async function startMixer(
  flags: MixerFlags,
  snapshot: Snapshot,
  runtime: Runtime,
): Promise<MixerPart> {
  const ours = runtimeOfPart(runtime, "mixer");
  const { proxiesPerAddress } = flags;
  const counting = proxiesPerAddress === undefined ? {} : { proxiesPerAddress };
  const http = (): OwnedHttpClient => createHttpClient(ours.clock);
  const mixer = createMixer({
    ...ours,
    files: filesBeside,
    spoolFiles: spoolBeside,
    http,
    buildInThread,
    nodeCount: flags.mixers ?? 1,
    ...counting,
  });
  try {
    const applied = await mixer.apply(snapshot);
    if (!applied.ok) throw new ConfigRejected(applied.diagnostics);
    const server = await startMixerHttpServer({
      ...ours,
      mixer,
      host: flags.host,
      port: flags.mixerPort,
      allowedHosts: flags.allowedHosts,
      ...flags.control,
      bodyLimitBytes: flags.maxBodyBytes,
      maxConcurrentRequests: flags.maxConcurrentRequests,
    });
    return {
      name: "mixer",
      mixer,
      url: surfaceUrl(server, flags.control),
      async apply(next) {
        const outcome = await mixer.apply(next);
        return outcome.ok ? [] : outcome.diagnostics;
      },
      async close(deadlineMs) {
        const endMs = ours.clock.monotonicMs() + deadlineMs;
        await server.close(deadlineMs / 2);
        await mixer.close(Math.max(0, endMs - ours.clock.monotonicMs()));
      },
    };
  } catch (error) {
    await mixer.close(0);
    throw error;
  }
}
