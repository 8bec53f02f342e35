// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { ProxyNode } from "../../api/pilot-service.ts";
import { PurserError } from "../../kernel/errors.ts";
import type { Proxy } from "../../proxy/proxy.ts";
import type { HeadersWithUnderscoresAction } from "../../proxy/transport/fields/underscore-names.ts";
import { type ControlFlags, controlSettings } from "../compose/control-access.ts";
import { controlTlsFlags } from "../compose/control-tls.ts";
import { nodeId } from "../compose/part-proxy.ts";
import { startRemoteProxy } from "../compose/part-remote-proxy.ts";
import { startWorkers } from "../compose/part-workers.ts";
import { createRuntime, type LogFlags } from "../compose/runtime.ts";
import { stopAll, stopSignal } from "../compose/stopping.ts";
import { surviveHandlers } from "../compose/uncaught-errors.ts";

interface Flags extends LogFlags, ControlFlags {
  readonly role: ProxyNode["role"];
  readonly service?: string;
  readonly namespace?: string;
  readonly label?: Readonly<Record<string, string>>;
  readonly host: string;
  readonly edgePort: number;
  readonly outboundPort: number;
  readonly inboundPort: number;
  readonly app?: { readonly host: string; readonly port: number };
  readonly pilot: string;
  readonly mixer: readonly string[];
  readonly adminHost: string;
  readonly adminPort: number;
  readonly allowedHosts: readonly string[];
  readonly trustedHops: number;
  readonly locality?: string;
  readonly headersWithUnderscoresAction: HeadersWithUnderscoresAction;
  readonly upgradeProtocols: readonly string[];
  readonly via?: string;
  readonly explainKeyFile?: string;
  /** The token for pilot and the mixers. */
  readonly tokenFile?: string;
  readonly credentials?: string;
  readonly workloadCerts?: string;
  readonly identity?: string;
  readonly joinTokenFile?: string;
  readonly workers: number;
  readonly drain: number;
}

/** Runs a proxy until a stop signal. */
export async function proxy(flags: Flags): Promise<void> {
  const node = nodeOf(flags);
  const runtime = createRuntime(flags);
  surviveHandlers(runtime.logger);
  const { adminHost: host, adminPort: port, allowedHosts, workers, drain } = flags;
  const admin = { host, port, allowedHosts, ...(await controlSettings(flags, runtime)) };
  const settings = { ...settingsOf(flags), node };
  if (workers === 1) {
    const started = await startRemoteProxy(settings, runtime, { admin });
    announce(node, started.proxy);
    await stopSignal();
    await started.stop(drain);
  } else {
    const pool = await startWorkers({ settings, workers, admin, drainMs: drain }, runtime);
    announce(node, pool.proxy);
    await stopSignal();
    await stopAll([pool], drain, runtime.logger);
  }
}

function announce({ role }: ProxyNode, proxy: Pick<Proxy, "addresses">): void {
  const where = proxy.addresses().listeners.map(({ scheme, host, port }) => `${scheme}://${host}:${port}`);
  process.stdout.write(`${role} proxy listening on ${where.join(", ")}\n`);
}

function settingsOf({ mixer, pilot, explainKeyFile, logLevel, logFormat, ...flags }: Flags) {
  const { headersWithUnderscoresAction, upgradeProtocols, via, credentials, workloadCerts, tokenFile } =
    flags;
  const identity = identityOf(flags);
  return {
    mixerUrls: mixer,
    pilotUrl: pilot,
    explainKeyFile,
    logLevel,
    logFormat,
    headersWithUnderscoresAction,
    upgradeProtocols,
    via,
    credentials,
    tokenFile,
    controlTls: controlTlsFlags(flags),
    workloadCerts,
    identity,
  };
}

function identityOf({
  identity: url,
  joinTokenFile,
  workers,
}: Pick<Flags, "identity" | "joinTokenFile" | "workers">) {
  if (url === undefined && joinTokenFile === undefined) return undefined;
  if (url === undefined || joinTokenFile === undefined)
    throw new PurserError("PURSER_CLI_USAGE", "--identity and --join-token-file belong together");
  if (!url.startsWith("https:"))
    throw new PurserError(
      "PURSER_CLI_USAGE",
      "--identity must be an https: URL, such as https://identity:15012",
    );
  // A join token serves one key alone, and each worker has its own.
  if (workers > 1) throw new PurserError("PURSER_CLI_USAGE", "--identity needs --workers 1");
  return { url, joinTokenFile };
}

function nodeOf(flags: Flags): ProxyNode {
  const { role, host, service, app, label: labels } = flags;
  const where = {
    ...(flags.namespace === undefined ? {} : { namespace: flags.namespace }),
    ...(flags.locality === undefined ? {} : { locality: flags.locality }),
  };
  if (role === "edge") {
    if (app !== undefined || service !== undefined)
      throw new PurserError("PURSER_CLI_USAGE", "--app and --service need --role sidecar");
    const { edgePort: port, trustedHops } = flags;
    return {
      role,
      id: nodeId(role, "edge"),
      host,
      port,
      trustedHops,
      ...where,
      ...(labels === undefined ? {} : { labels }),
    };
  }
  if (service === undefined) throw new PurserError("PURSER_CLI_USAGE", "--role sidecar needs --service");
  const inbound =
    app === undefined ? {} : { inbound: { port: flags.inboundPort, appHost: app.host, appPort: app.port } };
  const { outboundPort } = flags;
  const workload = { ...where, ...(labels === undefined ? {} : { labels }) };
  return { role, id: nodeId(role, service), host, service, outboundPort, ...workload, ...inbound };
}
