// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Diagnostic } from "../../kernel/diagnostic.ts";
import type { Snapshot } from "../../core/snapshot/snapshot.ts";
import type { HeadersWithUnderscoresAction } from "../../proxy/transport/fields/underscore-names.ts";
import type { ProxyNode } from "../../api/pilot-service.ts";
import { PurserError } from "../../kernel/errors.ts";
import { controlTlsFlags } from "./control-tls.ts";
import { type ControlFlags, type ControlSettings, controlSettings, surfaceUrl } from "./control-access.ts";
import { readExplainKey } from "./explain-key-file.ts";
import {
  type ConfigFlags,
  followConfig,
  loadConfig,
  type LoadedConfig,
  MESH_PURPOSES,
} from "./part-config.ts";
import { type MixerPart, startMixer } from "./part-mixer.ts";
import { type PilotPart, startPilot } from "./part-pilot.ts";
import { startMeshIdentity } from "./mesh-identity.ts";
import { nodeId, type ProxyPart, startProxy } from "./part-proxy.ts";
import { startWorkers, type WorkersWiring } from "./part-workers.ts";
import type { LogFlags, ProcessRuntime } from "./runtime.ts";
import { type RunningPart, stopAll } from "./stopping.ts";

export interface MeshFlags extends ConfigFlags, LogFlags, ControlFlags {
  readonly host: string;
  readonly edgePort: number;
  readonly mixerPort: number;
  readonly pilotPort: number;
  readonly adminHost: string;
  readonly adminPort: number;
  /** Host names of the control surfaces. */
  readonly allowedHosts: readonly string[];
  readonly trustedHops: number;
  readonly locality?: string;
  readonly headersWithUnderscoresAction: HeadersWithUnderscoresAction;
  readonly upgradeProtocols: readonly string[];
  /** The edge's name in `via`. Its sidecars leave the field alone: no two proxies may have the same name. */
  readonly via?: string;
  readonly explainKeyFile?: string;
  /** The folder of credentials. */
  readonly credentials?: string;
  /** The folder of the certificate that every proxy of this process shows as its own. */
  readonly workloadCerts?: string;
  /** The folder of the identity service; undefined to run none. */
  readonly identityState?: string;
  readonly identityPort: number;
  readonly identityAdminPort: number;
  readonly maxBodyBytes: number;
  readonly maxConcurrentRequests: number;
  /** Number of processes of the edge proxy; 1 is this process. */
  readonly workers: number;
  /** Time that the edge's `POST /drain` gives to requests under way, in milliseconds. */
  readonly drainMs: number;
  readonly sidecar: readonly MeshSidecar[];
}

interface EdgeWorkers extends Pick<WorkersWiring, "admin"> {
  readonly node: ProxyNode;
  readonly mixerUrl: string;
  readonly pilotUrl: string;
}
/** A sidecar of a mesh in one process: for the calls of a service, and with `inbound` for the calls to it. */
export interface MeshSidecar
  extends Pick<
    Extract<ProxyNode, { role: "sidecar" }>,
    "service" | "namespace" | "labels" | "outboundPort" | "inbound"
  > {}

export interface RunningMesh {
  readonly snapshot: Snapshot;
  /** Of the edge's admin surface. */
  readonly adminUrl: string | undefined;
  readonly mixerUrl: string;
  readonly pilotUrl: string;
  /** Of the identity service; undefined when there is none. */
  readonly identityUrl: string | undefined;
  readonly proxies: readonly ProxyPart[];
  close(deadlineMs: number): Promise<void>;
}

/**
 * Runs a whole mesh in this process: mixer, pilot, an edge proxy and the requested sidecars, with one set of
 * documents.
 * @throws {PurserError} when a part cannot start; the parts already started are stopped again.
 */
export async function runMesh(flags: MeshFlags, runtime: ProcessRuntime): Promise<RunningMesh> {
  const parts: RunningPart[] = [];
  const close = (deadlineMs: number): Promise<void> => stopAll(parts.splice(0), deadlineMs, runtime.logger);
  try {
    const control = await controlSettings(flags, runtime);
    const explainKey = await readExplainKey(flags.explainKeyFile);
    const { source, snapshot } = await loadConfig(flags, MESH_PURPOSES, runtime);
    parts.push({ name: "configuration", close: () => source.close() });
    const mixer = await startMixer({ ...flags, control }, snapshot, runtime);
    parts.push(mixer);
    const pilot = await startPilot({ ...flags, control }, snapshot, runtime);
    parts.push(pilot);
    const changes = followDocuments(source, mixer, pilot, runtime);
    const identities = await startMeshIdentity(flags, snapshot.traffic.trustDomains[0], runtime);
    if (identities !== undefined) parts.push(identities.part);

    const sidecars: ProxyPart[] = [];
    const { host, edgePort, adminHost, adminPort, allowedHosts, trustedHops } = flags;
    const { headersWithUnderscoresAction, upgradeProtocols } = flags;
    const place = flags.locality === undefined ? {} : { locality: flags.locality };
    const wiring = {
      mixer: mixer.mixer,
      pilot: pilot.pilot,
      explainKey,
      headersWithUnderscoresAction,
      upgradeProtocols,
      credentials: flags.credentials,
      workloadCerts: flags.workloadCerts,
    };
    for (const wanted of flags.sidecar) {
      const node = { ...wanted, role: "sidecar", id: sidecarId(wanted), host, ...place } as const;
      const localIdentity = identities?.of(accountName(wanted));
      const sidecar = await startProxy({ ...wiring, node, localIdentity }, runtime);
      sidecars.push(sidecar);
      parts.push(sidecar);
    }
    // The edge is stopped before the sidecars, which its requests under way may need.
    const id = nodeId("edge", "edge");
    const node = { role: "edge", id, host, port: edgePort, trustedHops, ...place } as const;
    const admin = { host: adminHost, port: adminPort, allowedHosts, ...control };
    const edge =
      flags.workers === 1
        ? await startProxy(
            { ...wiring, node, admin, via: flags.via, localIdentity: identities?.of("edge") },
            runtime,
          )
        : await startEdgeWorkers(flags, { node, admin, mixerUrl: mixer.url, pilotUrl: pilot.url }, runtime);
    parts.push(edge);
    // Changes are stopped first: no set takes effect while the proxies finish their requests.
    parts.push(changes);
    return {
      snapshot,
      identityUrl: identities?.part.url,
      adminUrl: adminUrlOf(edge, control),
      mixerUrl: mixer.url,
      pilotUrl: pilot.url,
      proxies: [edge, ...sidecars],
      close,
    };
  } catch (error) {
    await close(0);
    throw error;
  }
}

/** Starts the edge as worker processes, which call the mixer and pilot of this process. */
function startEdgeWorkers(
  flags: MeshFlags,
  { node, admin, mixerUrl, pilotUrl }: EdgeWorkers,
  runtime: ProcessRuntime,
): Promise<ProxyPart> {
  const controlTls = controlTlsFlags(flags);
  if (controlTls.controlTlsCert !== undefined && controlTls.controlTlsCa === undefined)
    throw new PurserError(
      "PURSER_CLI_USAGE",
      "--control-tls-cert with --workers needs --control-tls-ca, by which the workers verify the mixer and pilot",
    );
  return startWorkers(
    {
      settings: {
        node,
        mixerUrls: [mixerUrl],
        pilotUrl,
        explainKeyFile: flags.explainKeyFile,
        tokenFile: flags.controlTokenFile,
        controlTls,
        isLocalControlPlane: true,
        headersWithUnderscoresAction: flags.headersWithUnderscoresAction,
        upgradeProtocols: flags.upgradeProtocols,
        via: flags.via,
        credentials: flags.credentials,
        workloadCerts: flags.workloadCerts,
        logLevel: flags.logLevel,
        logFormat: flags.logFormat,
      },
      workers: flags.workers,
      admin,
      drainMs: flags.drainMs,
    },
    runtime,
  );
}

function adminUrlOf({ proxy }: ProxyPart, control: ControlSettings): string | undefined {
  const { admin } = proxy.addresses();
  return admin === undefined ? undefined : surfaceUrl(admin, control);
}

/** Sidecars of one service have different versions. */
function sidecarId({ service, labels: { version } = {} }: MeshSidecar): string {
  return nodeId("sidecar", version === undefined ? service : `${service}-${version}`);
}

function accountName({ service, namespace }: MeshSidecar): string {
  return namespace === undefined ? service : `${service}.${namespace}`;
}

/** Takes each new set of documents into force in both services. */
function followDocuments(
  source: LoadedConfig["source"],
  mixer: MixerPart,
  { pilot }: PilotPart,
  runtime: ProcessRuntime,
): RunningPart {
  // Policies before routes: no request may take a new route before its policies are in force.
  const take = async (next: Snapshot): Promise<readonly Diagnostic[]> => {
    const refused = await mixer.apply(next);
    if (refused.length === 0) pilot.update(next);
    return refused;
  };
  const refuse = (diagnostics: readonly Diagnostic[]): void => {
    mixer.mixer.reject(diagnostics);
    pilot.reject(diagnostics);
  };
  return followConfig(source, take, refuse, runtime);
}
