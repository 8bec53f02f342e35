// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { X509Certificate } from "node:crypto";

import type { Listener } from "../../../../core/traffic/resources/listener.ts";
import type { UpstreamTls } from "../../../../core/traffic/resources/tls.ts";
import type { Authority, Certificate } from "../../../../test/support/certificates.ts";
import type { ProxyOptions } from "../../../proxy.ts";
import {
  clusterOf,
  configOf,
  EDGE,
  endpointAt,
  type Rig,
  startProxy,
} from "../../../testing/harness.test.ts";
import type { PeerCertificate } from "../../contract/connection.ts";
import { HTTP_TRANSPORT } from "../../http-transport.ts";
import { checkedMaterial, type Material } from "../credentials/material.ts";
import type { WorkloadCredential } from "../credentials/workload-credential.ts";
import { subjectAltNamesOf } from "../subject-alt-names.ts";

/** A workload's credential that a test renews and that learns of revocations from it. */
export class TestCredential implements WorkloadCredential {
  readonly name = "test";
  version = 0;
  material: Material | undefined;
  readonly fault = undefined;
  spiffeId: string | undefined;
  readonly #revoked = new Set<string>();
  readonly #watchers = new Set<() => void>();

  constructor(certificate: Certificate, bundle: string) {
    this.renew(certificate, bundle);
  }

  renew({ cert, key }: Certificate, bundle: string): void {
    this.material = checkedMaterial({ certificate: cert, privateKey: key, authorities: bundle });
    this.spiffeId = subjectAltNamesOf(new X509Certificate(cert)).uris[0];
    this.version++;
    this.#tell();
  }

  revoke(spiffeId: string): void {
    this.#revoked.add(spiffeId);
    this.#tell();
  }

  isRevoked({ uris }: PeerCertificate): boolean {
    return uris.some((uri) => this.#revoked.has(uri));
  }

  watch(onChange: () => void): () => void {
    this.#watchers.add(onChange);
    return () => this.#watchers.delete(onChange);
  }

  #tell(): void {
    for (const watcher of this.#watchers) watcher();
  }
}

const TRUST_DOMAINS = ["mesh.example"];

export const idOf = (account: string): string => `spiffe://mesh.example/ns/shop/sa/${account}`;

export function workloadOf(authority: Authority, account: string): Certificate {
  return authority.sign(account, `URI:${idOf(account)}`);
}

type Mode = NonNullable<Listener["peerTls"]>["mode"];

export const inboundListener = (mode: Mode | undefined, more: Partial<Listener> = {}): Listener => ({
  ...EDGE,
  name: "inbound",
  direction: "inbound",
  edge: false,
  ...(mode === undefined ? {} : { peerTls: { mode, trustDomains: TRUST_DOMAINS } }),
  ...more,
});

export const serverConfigOf = (upstreamPort: number, listener: Listener) =>
  configOf({
    clusters: [clusterOf([endpointAt(upstreamPort)], { protocol: "http1" })],
    listeners: [listener],
  });

/** A sidecar's inbound side, in front of the application on `upstreamPort`. */
export function startServer(
  upstreamPort: number,
  mode: Mode | undefined,
  workload: WorkloadCredential | undefined,
  options: { readonly listener?: Partial<Listener>; readonly proxy?: Partial<ProxyOptions> } = {},
): Promise<Rig> {
  return startProxy(serverConfigOf(upstreamPort, inboundListener(mode, options.listener)), {
    node: { role: "sidecar", id: "server", host: "127.0.0.1", service: "cart", outboundPort: 0 },
    transport: HTTP_TRANSPORT,
    workload,
    ...options.proxy,
  });
}

export const peerTls = (subjectAltNames: readonly string[] = []): UpstreamTls => ({
  credential: {},
  serverName: "cart.shop",
  subjectAltNames,
  skipsVerification: false,
  peers: { trustDomains: TRUST_DOMAINS },
});

/** A proxy whose endpoint is called by mutual TLS, or in plain text without `tls`. */
export function startClient(
  port: number,
  workload: WorkloadCredential | undefined,
  tls: UpstreamTls | undefined,
  protocol: "http1" | "http2" = "http1",
): Promise<Rig> {
  return startProxy(clientConfigOf(port, tls, protocol), { transport: HTTP_TRANSPORT, workload });
}

export const clientConfigOf = (
  port: number,
  tls: UpstreamTls | undefined,
  protocol: "http1" | "http2" = "http1",
) =>
  configOf({
    clusters: [clusterOf([endpointAt(port, tls === undefined ? {} : { tls })], { protocol })],
  });
