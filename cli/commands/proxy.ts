// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { Command, Option } from "commander";
import type { ProxyNode } from "../../api/pilot-service.ts";
import { PurserError } from "../../kernel/errors.ts";
import type { HeadersWithUnderscoresAction } from "../../proxy/transport/fields/underscore-names.ts";
import type { Proxy } from "../../proxy/proxy.ts";
import { explainKeyFlag } from "../compose/explain-key-file.ts";
import {
  address,
  adminHostFlag,
  allowedHostsFlag,
  collect,
  count,
  drainFlag,
  hostFlag,
  logFormatFlag,
  logLevelFlag,
  portFlag,
  underscoresFlag,
  upgradesFlag,
  workersFlag,
  url,
} from "./flags.ts";
import { nodeId } from "../compose/part-proxy.ts";
import { startRemoteProxy } from "../compose/part-remote-proxy.ts";
import { startWorkers } from "../compose/part-workers.ts";
import { stopAll, stopSignal, surviveRejections } from "../compose/stopping.ts";
import { createRuntime, type LogFlags } from "../compose/runtime.ts";

interface Flags extends LogFlags {
  readonly role: ProxyNode["role"];
  readonly service?: string;
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
  readonly headersWithUnderscoresAction: HeadersWithUnderscoresAction;
  readonly upgradeProtocols: readonly string[];
  readonly explainKeyFile?: string;
  readonly workers: number;
  readonly drain: number;
}

export function proxyCommand(): Command {
  return new Command("proxy")
    .summary("run a proxy: an edge of the mesh, or the sidecar of one workload")
    .description(
      "Runs a proxy in its own process, with pilot and mixer over HTTP. It listens once pilot has sent its listeners, and decides once the mixer has sent the policies; until then requests get 503.",
    )
    .addOption(
      new Option("--role <role>", "the proxy's role").choices(["edge", "sidecar"]).makeOptionMandatory(),
    )
    .requiredOption("--pilot <url>", "URL of pilot", url)
    .requiredOption("--mixer <url>", "URL of a mixer; repeatable", (value, previous?: readonly string[]) =>
      collect(url(value), previous),
    )
    .addOption(hostFlag())
    .addOption(portFlag("--edge-port", "an edge, when no Gateway names one", 8080))
    .option("--service <name>", "the service whose sidecar this is")
    .option(
      "--app <address>",
      "the address on which the sidecar's workload listens; without it there is no inbound listener",
      address,
    )
    .addOption(portFlag("--inbound-port", "a sidecar, for calls to its workload", 15006))
    .addOption(portFlag("--outbound-port", "a sidecar, for calls of its workload; always on loopback", 15001))
    .addOption(adminHostFlag())
    .addOption(portFlag("--admin-port", "the admin surface", 15000))
    .addOption(allowedHostsFlag())
    .option(
      "--trusted-hops <n>",
      "number of trusted proxies in front of an edge, whose statements about the client are used",
      count,
      0,
    )
    .addOption(explainKeyFlag())
    .addOption(underscoresFlag())
    .addOption(upgradesFlag())
    .addOption(workersFlag())
    .addOption(drainFlag())
    .addOption(logLevelFlag())
    .addOption(logFormatFlag())
    .addHelpText(
      "after",
      `
Examples:
  purser proxy --role edge --pilot http://pilot:15010 --mixer http://mixer:9092
  purser proxy --role sidecar --service reviews --app 127.0.0.1:9080 --host 0.0.0.0 \\
               --pilot http://pilot:15010 --mixer http://mixer-1:9092 --mixer http://mixer-2:9092`,
    )
    .action(async (flags: Flags) => {
      const node = nodeOf(flags);
      const runtime = createRuntime(flags);
      surviveRejections(runtime.logger);
      const { adminHost: host, adminPort: port, allowedHosts, workers, drain } = flags;
      const admin = { host, port, allowedHosts };
      const settings = { ...settingsOf(flags), node };
      if (workers === 1) {
        const { proxy, stop } = await startRemoteProxy(settings, runtime, { admin });
        announce(node, proxy);
        await stopSignal();
        await stop(drain);
      } else {
        const pool = await startWorkers({ settings, workers, admin, drainMs: drain }, runtime);
        announce(node, pool.proxy);
        await stopSignal();
        await stopAll([pool], drain, runtime.logger);
      }
    });
}

function announce({ role }: ProxyNode, proxy: Pick<Proxy, "addresses">): void {
  const where = proxy.addresses().listeners.map(({ host, port }) => `http://${host}:${port}`);
  process.stdout.write(`${role} proxy listening on ${where.join(", ")}\n`);
}

function settingsOf({ mixer, pilot, explainKeyFile, logLevel, logFormat, ...flags }: Flags) {
  const { headersWithUnderscoresAction, upgradeProtocols } = flags;
  return {
    mixerUrls: mixer,
    pilotUrl: pilot,
    explainKeyFile,
    logLevel,
    logFormat,
    headersWithUnderscoresAction,
    upgradeProtocols,
  };
}

function nodeOf(flags: Flags): ProxyNode {
  const { role, host, service, app } = flags;
  if (role === "edge") {
    if (app !== undefined || service !== undefined)
      throw new PurserError("PURSER_CLI_USAGE", "--app and --service need --role sidecar");
    return { role, id: nodeId(role, "edge"), host, port: flags.edgePort, trustedHops: flags.trustedHops };
  }
  if (service === undefined) throw new PurserError("PURSER_CLI_USAGE", "--role sidecar needs --service");
  const inbound =
    app === undefined ? {} : { inbound: { port: flags.inboundPort, appHost: app.host, appPort: app.port } };
  return { role, id: nodeId(role, service), host, service, outboundPort: flags.outboundPort, ...inbound };
}
