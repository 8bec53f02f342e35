// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { POLICIES, ROUTES } from "../../config/emptiness.ts";
import type { Diagnostic } from "../../kernel/diagnostic.ts";
import type { Snapshot } from "../../core/snapshot/snapshot.ts";
import type { HeadersWithUnderscoresAction } from "../../proxy/transport/fields/underscore-names.ts";
import { readExplainKey } from "./explain-key-file.ts";
import { type ConfigFlags, followConfig, loadConfig } from "./part-config.ts";
import { startMixer } from "./part-mixer.ts";
import { startPilot } from "./part-pilot.ts";
import { nodeId, type ProxyPart, startProxy } from "./part-proxy.ts";
import { type RunningPart, stopAll } from "./stopping.ts";
import type { Runtime } from "../../kernel/ports.ts";

export interface MeshFlags extends ConfigFlags {
  readonly host: string;
  readonly edgePort: number;
  readonly mixerPort: number;
  readonly pilotPort: number;
  readonly adminHost: string;
  readonly adminPort: number;
  /** Names that the control surfaces are reached by. */
  readonly allowedHosts: readonly string[];
  readonly trustedHops: number;
  readonly headersWithUnderscoresAction: HeadersWithUnderscoresAction;
  readonly upgradeProtocols: readonly string[];
  readonly explainKeyFile?: string;
  readonly maxBodyBytes: number;
  readonly maxConcurrentRequests: number;
  /** Services whose calls go through a sidecar of their own, and where it listens for them. */
  readonly sidecar: readonly { readonly service: string; readonly outboundPort: number }[];
}

export interface RunningMesh {
  readonly snapshot: Snapshot;
  readonly mixerUrl: string;
  readonly pilotUrl: string;
  readonly proxies: readonly ProxyPart[];
  close(deadlineMs: number): Promise<void>;
}

/**
 * A whole mesh in this process: mixer, pilot, an edge proxy and the sidecars asked for, over one set of documents.
 * @throws {PurserError} what stopped it from starting; everything that had started is stopped again.
 */
export async function runMesh(flags: MeshFlags, runtime: Runtime): Promise<RunningMesh> {
  const parts: RunningPart[] = [];
  const close = (deadlineMs: number): Promise<void> => stopAll(parts.splice(0), deadlineMs, runtime.logger);
  try {
    const explainKey = await readExplainKey(flags.explainKeyFile);
    const { source, snapshot } = await loadConfig(flags, [POLICIES, ROUTES], runtime);
    parts.push({ name: "configuration", close: () => source.close() });
    const mixer = await startMixer(flags, snapshot, runtime);
    parts.push(mixer);
    const pilot = await startPilot(flags, snapshot, runtime);
    parts.push(pilot);
    // Policies before routes: no request may take a new route before the policies that belong to it are in force.
    const take = async (next: Snapshot): Promise<readonly Diagnostic[]> => {
      const refused = await mixer.apply(next);
      if (refused.length === 0) pilot.pilot.update(next);
      return refused;
    };
    const refuse = (diagnostics: readonly Diagnostic[]): void => {
      mixer.mixer.reject(diagnostics);
      pilot.pilot.reject(diagnostics);
    };
    const changes = followConfig(source, take, refuse, runtime);

    const sidecars: ProxyPart[] = [];
    const { host, edgePort, adminHost, adminPort, allowedHosts, trustedHops } = flags;
    const { headersWithUnderscoresAction, upgradeProtocols } = flags;
    const wiring = {
      mixer: mixer.mixer,
      pilot: pilot.pilot,
      explainKey,
      headersWithUnderscoresAction,
      upgradeProtocols,
    };
    for (const { service, outboundPort } of flags.sidecar) {
      const node = { role: "sidecar", id: nodeId("sidecar", service), host, service, outboundPort } as const;
      const sidecar = await startProxy({ ...wiring, node }, runtime);
      sidecars.push(sidecar);
      parts.push(sidecar);
    }
    // Stopped before the sidecars, which the edge's requests under way may still need.
    const node = { role: "edge", id: nodeId("edge", "edge"), host, port: edgePort, trustedHops } as const;
    const admin = { host: adminHost, port: adminPort, allowedHosts };
    const edge = await startProxy({ ...wiring, node, admin }, runtime);
    parts.push(edge);
    // Stopped first: no set is put in force while the proxies finish their requests.
    parts.push(changes);
    return { snapshot, mixerUrl: mixer.url, pilotUrl: pilot.url, proxies: [edge, ...sidecars], close };
  } catch (error) {
    await close(0);
    throw error;
  }
}
