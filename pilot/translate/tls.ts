// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { ClientTlsSpec } from "../../core/documents/kinds/destination-rule-tls.ts";
import type { GatewayServerSpec, GatewaySpec } from "../../core/documents/kinds/gateway.ts";
import type { GatewayTlsSpec } from "../../core/documents/kinds/gateway-tls.ts";
import { carriedBy } from "../../core/documents/kinds/port-protocols.ts";
import type { TrafficDocument } from "../../core/snapshot/snapshot.ts";
import {
  type CredentialFiles,
  DEFAULT_CIPHER_SUITES,
  type TlsServer,
  type UpstreamTls,
} from "../../core/traffic/resources/tls.ts";
import { withoutNamespace } from "./gateway-name.ts";

/** Names of the files in a folder of `credentialName`: those of a Secret of Kubernetes. */
const CERTIFICATE = "tls.crt";
const PRIVATE_KEY = "tls.key";
const AUTHORITIES = "ca.crt";

const MODES = { SIMPLE: "simple", MUTUAL: "mutual", OPTIONAL_MUTUAL: "optional-mutual" } as const;

/** A server that terminates TLS, with the document that it is from. */
export interface TlsServerOfGateway {
  readonly tls: TlsServer;
  readonly gateway: TrafficDocument<GatewaySpec>;
  readonly server: GatewayServerSpec;
}

/** The Gateway's servers on the port. */
export function serversOf(
  { spec }: TrafficDocument<GatewaySpec>,
  port: number,
): readonly GatewayServerSpec[] {
  return spec.servers.filter((server) => server.port.number === port);
}

/** The servers on the port that terminate TLS, in document order. */
export function tlsServersOf(
  gateways: readonly TrafficDocument<GatewaySpec>[],
  port: number,
): readonly TlsServerOfGateway[] {
  return gateways.flatMap((gateway) =>
    gateway.spec.servers.flatMap((server) => {
      const { tls, hosts } = server;
      const mode = MODES[tls?.mode as keyof typeof MODES] as TlsServer["mode"] | undefined;
      if (server.port.number !== port || carriedBy(server.port.protocol) !== "tls" || tls === undefined)
        return [];
      // PASSTHROUGH; the check of the kind refuses a server with another mode.
      if (mode === undefined) return [];
      const serverNames = [...new Set(hosts.map(withoutNamespace))];
      // No two servers on a port have the same host, and the name stays when other servers come and go.
      const isHttp = server.port.protocol === "HTTPS";
      const name = `${isHttp ? "https" : "tls"}.${port}.${serverNames[0]}.${gateway.metadata.name}.${gateway.metadata.namespace}`;
      const resource: TlsServer = {
        name,
        serverNames,
        routeTable: name,
        ...(isHttp ? {} : { protocol: "tcp" as const }),
        mode,
        credential: serverCredentialOf(tls, mode),
        minVersion: tls.minProtocolVersion === "TLSV1_3" ? "TLSv1.3" : "TLSv1.2",
        maxVersion: tls.maxProtocolVersion === "TLSV1_2" ? "TLSv1.2" : "TLSv1.3",
        cipherSuites: tls.cipherSuites ?? DEFAULT_CIPHER_SUITES,
      };
      return [{ tls: resource, gateway, server }];
    }),
  );
}

function serverCredentialOf(tls: GatewayTlsSpec, mode: TlsServer["mode"]): CredentialFiles {
  const { credentialName } = tls;
  return credentialOf(
    credentialName,
    credentialName === undefined ? tls.serverCertificate : CERTIFICATE,
    credentialName === undefined ? tls.privateKey : PRIVATE_KEY,
    mode === "simple" ? undefined : credentialName === undefined ? tls.caCertificates : AUTHORITIES,
  );
}

/** @param host The service's host: the default of the server name. */
export function upstreamTlsOf(tls: ClientTlsSpec | undefined, host: string): UpstreamTls | undefined {
  // The endpoints of ISTIO_MUTUAL have TLS of their own: see EndpointPeerTls.
  if (tls === undefined || tls.mode === "DISABLE" || tls.mode === "ISTIO_MUTUAL") return undefined;
  const { credentialName, insecureSkipVerify: skipsVerification = false } = tls;
  const named = credentialName !== undefined;
  const isMutual = tls.mode === "MUTUAL";
  return {
    credential: credentialOf(
      credentialName,
      !isMutual ? undefined : named ? CERTIFICATE : tls.clientCertificate,
      !isMutual ? undefined : named ? PRIVATE_KEY : tls.privateKey,
      skipsVerification ? undefined : named ? AUTHORITIES : tls.caCertificates,
    ),
    serverName: tls.sni ?? host,
    subjectAltNames: tls.subjectAltNames ?? [],
    skipsVerification,
  };
}

function credentialOf(
  credentialName: string | undefined,
  certificateFile: string | undefined,
  privateKeyFile: string | undefined,
  authoritiesFile: string | undefined,
): CredentialFiles {
  return {
    ...(credentialName === undefined ? {} : { credentialName }),
    ...(certificateFile === undefined ? {} : { certificateFile }),
    ...(privateKeyFile === undefined ? {} : { privateKeyFile }),
    ...(authoritiesFile === undefined ? {} : { authoritiesFile }),
  };
}
