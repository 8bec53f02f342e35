// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { hostname } from "node:os";
import type { MixerService } from "../../api/mixer-service.ts";
import type { PilotService, ProxyNode } from "../../api/pilot-service.ts";
import { createPolicyClient } from "../../proxy/policy/policy-client.ts";
import type { ExplainKey } from "../../proxy/filters/explain-key.ts";
import type { SurfaceAddress } from "../../server/http/control-surface.ts";
import type { HeadersWithUnderscoresAction } from "../../proxy/transport/fields/underscore-names.ts";
import { createProxy, type Proxy } from "../../proxy/proxy.ts";
import type { TicketSecret } from "../../proxy/transport/tls/ticket-keys.ts";
import { filesIn } from "./files.ts";
import { compileExpression } from "./part-config.ts";
import type { RunningPart } from "./stopping.ts";
import type { Runtime } from "../../kernel/ports.ts";
import { type LocalIdentity, startWorkload, type WorkloadSettings } from "./part-workload.ts";
import { runtimeOfPart } from "./runtime.ts";
import { systemAuthorities } from "./system-authorities.ts";

export interface ProxyWiring extends CertificateSettings {
  readonly node: ProxyNode;
  /** The service in this process, or its HTTP client: the proxy does not distinguish. */
  readonly mixer: MixerService;
  readonly pilot: PilotService;
  readonly admin?: SurfaceAddress;
  readonly explainKey?: ExplainKey | undefined;
  readonly headersWithUnderscoresAction: HeadersWithUnderscoresAction;
  /** Protocols that requests may upgrade to, in lower case. */
  readonly upgradeProtocols: readonly string[];
  /** The proxy's name in `via`; undefined to leave the field alone. */
  readonly via?: string | undefined;
  readonly localIdentity?: LocalIdentity | undefined;
}

/** The places of a proxy's certificates. Plain data: a pool sends it to its workers. */
export interface CertificateSettings extends Omit<WorkloadSettings, "localIdentity"> {
  /** The folder with a folder for each `credentialName`; undefined for none. */
  readonly credentials?: string | undefined;
  /** Secret of the keys of TLS session tickets, which the workers of a pool share; default: a random one. */
  readonly ticketSecret?: TicketSecret | undefined;
}

/** A running proxy: one in this process, or a pool of workers. */
export interface ProxyPart extends RunningPart {
  readonly node: ProxyNode;
  readonly proxy: Pick<Proxy, "addresses">;
}

/** A unique id of a proxy, which also tells operators its host and process. */
export function nodeId(role: string, workload: string): string {
  return `${role}~${workload}~${hostname()}~${process.pid}`;
}

/** @throws {PurserError} when a port is not available, or pilot sends no configuration in time. */
export async function startProxy(
  { node, mixer, pilot, admin, explainKey, credentials, ...settings }: ProxyWiring,
  runtime: Runtime,
): Promise<ProxyPart & { readonly proxy: Proxy }> {
  const ours = runtimeOfPart(runtime, node.role === "edge" ? "edge" : `sidecar of ${node.service}`);
  const policy = createPolicyClient({
    ...ours,
    service: mixer,
    identity: { id: node.id },
    compile: compileExpression,
  });
  const files = filesIn(process.cwd());
  const workload = await startWorkload(settings, { ...ours, files });
  const proxy = createProxy({
    ...ours,
    node,
    pilot,
    policy,
    compile: compileExpression,
    ...settings,
    files,
    workload: workload.credential,
    credentialsFolder: credentials,
    systemAuthorities: systemAuthorities(),
    ...(admin === undefined ? {} : { admin }),
    ...(explainKey === undefined ? {} : { explainKey }),
  });
  const close = async (deadlineMs: number): Promise<void> => {
    const endMs = ours.clock.monotonicMs() + deadlineMs;
    await proxy.drain(deadlineMs * 0.7);
    await proxy.close();
    workload.close();
    await policy.close(Math.max(0, endMs - ours.clock.monotonicMs()));
  };
  try {
    await proxy.start();
  } catch (error) {
    await close(0);
    throw error;
  }
  return { name: node.id, node, proxy, close };
}
