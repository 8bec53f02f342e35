// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { ProxyNode } from "../../api/pilot-service.ts";
import type { Runtime } from "../../kernel/ports.ts";
import { createHttpPilotService } from "../../proxy/discovery/http-pilot-service.ts";
import { createHttpMixerService } from "../../proxy/policy/http/http-mixer-service.ts";
import type { Proxy } from "../../proxy/proxy.ts";
import type { HeadersWithUnderscoresAction } from "../../proxy/transport/fields/underscore-names.ts";
import { sharingLimits } from "../../proxy/workers/limit-share.ts";
import type { SurfaceAddress } from "../../server/http/control-surface.ts";
import { clientAuthorization } from "./control-access.ts";
import { ControlTls, type ControlTlsFlags } from "./control-tls.ts";
import { readExplainKey } from "./explain-key-file.ts";
import { type CertificateSettings, startProxy } from "./part-proxy.ts";
import { type LogFlags, runtimeOfPart } from "./runtime.ts";
import { stopAll } from "./stopping.ts";

/** Settings of a proxy whose mixer and pilot are other processes. Plain data: a pool sends it to its workers. */
export interface RemoteProxySettings extends LogFlags, CertificateSettings {
  readonly node: ProxyNode;
  readonly mixerUrls: readonly string[];
  readonly pilotUrl: string;
  readonly explainKeyFile?: string | undefined;
  /** The file with the token that mixer and pilot ask for; undefined for none. */
  readonly tokenFile?: string | undefined;
  /** The files of the TLS of mixer and pilot. */
  readonly controlTls?: ControlTlsFlags;
  /** Whether mixer and pilot run in the process that started this one, at an address that their certificates need not name. */
  readonly isLocalControlPlane?: boolean;
  readonly headersWithUnderscoresAction: HeadersWithUnderscoresAction;
  readonly upgradeProtocols: readonly string[];
  /** The proxy's name in `via`; undefined to leave the field alone. */
  readonly via?: string | undefined;
}

export interface RemoteProxy {
  readonly proxy: Proxy;
  /** Stops the proxy and its clients; see stopAll. */
  stop(deadlineMs: number): Promise<void>;
}

/**
 * Starts a proxy that reaches mixer and pilot over HTTP.
 *
 * @param workers Number of worker processes that share the limits of the proxy's clusters; default 1.
 * @throws {PurserError} when a port is not available, or pilot sends no configuration in time.
 */
export async function startRemoteProxy(
  { node, mixerUrls, pilotUrl, explainKeyFile, tokenFile, controlTls, ...settings }: RemoteProxySettings,
  runtime: Runtime,
  { admin, workers = 1 }: { readonly admin?: SurfaceAddress; readonly workers?: number },
): Promise<RemoteProxy> {
  const explainKey = await readExplainKey(explainKeyFile);
  const authorization = await clientAuthorization(tokenFile, "--token-file", runtime);
  const files = await ControlTls.follow(controlTls ?? {}, runtime);
  const anyName = settings.isLocalControlPlane === true ? { serverFault: () => undefined } : {};
  const tls = files && (() => ({ ...files.client, ...anyName }));
  const mixer = createHttpMixerService({
    ...runtimeOfPart(runtime, "mixer client"),
    urls: mixerUrls,
    authorization,
    tls,
  });
  const pilot = createHttpPilotService({
    ...runtimeOfPart(runtime, "pilot client"),
    url: pilotUrl,
    authorization,
    tls,
  });
  const clients = {
    name: "clients",
    close: async () => void (await Promise.all([mixer.close(), pilot.close()])),
  };
  const {
    headersWithUnderscoresAction,
    upgradeProtocols,
    via,
    credentials,
    workloadCerts,
    identity,
    ticketSecret,
  } = settings;
  try {
    const part = await startProxy(
      {
        node,
        mixer,
        pilot: workers === 1 ? pilot : sharingLimits(pilot, workers),
        explainKey,
        headersWithUnderscoresAction,
        upgradeProtocols,
        via,
        credentials,
        workloadCerts,
        identity,
        ticketSecret,
        ...(admin === undefined ? {} : { admin }),
      },
      runtime,
    );
    return {
      proxy: part.proxy,
      stop: (deadlineMs) => stopAll([clients, part], deadlineMs, runtime.logger),
    };
  } catch (error) {
    await clients.close();
    throw error;
  }
}
