// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { ProxyNode } from "../../api/pilot-service.ts";
import { PurserError } from "../../kernel/errors.ts";
import { createHttpPilotService } from "../../proxy/discovery/http-pilot-service.ts";
import { createHttpMixerService } from "../../proxy/policy/http/http-mixer-service.ts";
import type { HeadersWithUnderscoresAction } from "../../proxy/transport/fields/underscore-names.ts";
import { readExplainKey } from "../compose/explain-key-file.ts";
import { nodeId, startProxy } from "../compose/part-proxy.ts";
import { createRuntime, type LogFlags, runtimeOfPart } from "../compose/runtime.ts";
import { stopAll, stopSignal, surviveRejections } from "../compose/stopping.ts";

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
  readonly drain: number;
}

/** Runs a proxy until a stop signal. */
export async function proxy(flags: Flags): Promise<void> {
  const node = nodeOf(flags);
  const explainKey = await readExplainKey(flags.explainKeyFile);
  const runtime = createRuntime(flags);
  surviveRejections(runtime.logger);
  const mixer = createHttpMixerService({ ...runtimeOfPart(runtime, "mixer client"), urls: flags.mixer });
  const pilot = createHttpPilotService({ ...runtimeOfPart(runtime, "pilot client"), url: flags.pilot });
  const clients = {
    name: "clients",
    close: async () => void (await Promise.all([mixer.close(), pilot.close()])),
  };
  try {
    const { adminHost: host, adminPort: port, allowedHosts } = flags;
    const { headersWithUnderscoresAction, upgradeProtocols } = flags;
    const admin = { host, port, allowedHosts };
    const part = await startProxy(
      { node, mixer, pilot, admin, explainKey, headersWithUnderscoresAction, upgradeProtocols },
      runtime,
    );
    const where = part.proxy
      .addresses()
      .listeners.map((listener) => `http://${listener.host}:${listener.port}`);
    process.stdout.write(`${node.role} proxy listening on ${where.join(", ")}\n`);
    await stopSignal();
    await stopAll([clients, part], flags.drain, runtime.logger);
  } catch (error) {
    await clients.close();
    throw error;
  }
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
