// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import Type, { type Static } from "typebox";
import type { SpecFault } from "../../../kernel/diagnostic.ts";
import { CIPHER_SUITES } from "../../traffic/resources/tls.ts";
import { Choice, Closed } from "./fields.ts";
import { CredentialName, PemFile, uselessFields } from "./tls-fields.ts";

/** Modes of Istio that are refused, with the reason. */
const UNSUPPORTED_MODES: Readonly<Record<string, string>> = {
  AUTO_PASSTHROUGH:
    "the edge makes no routes of server names by itself; use PASSTHROUGH with the tls routes of a VirtualService",
  ISTIO_MUTUAL: "proxies have no certificates of a mesh; use MUTUAL with certificates of your own",
};

const VERSIONS = ["TLS_AUTO", "TLSV1_2", "TLSV1_3"] as const;

export const GatewayTlsSpec = Closed(
  {
    httpsRedirect: Type.Optional(
      Type.Boolean({
        description:
          "Whether requests are redirected to https (301); default false. Only with the protocol HTTP.",
      }),
    ),
    mode: Type.Optional(
      Choice(
        ["SIMPLE", "MUTUAL", "OPTIONAL_MUTUAL", "PASSTHROUGH", "AUTO_PASSTHROUGH", "ISTIO_MUTUAL"],
        "SIMPLE: clients show no certificate. MUTUAL: they must show one that an authority of caCertificates signed. " +
          "OPTIONAL_MUTUAL: they may show one. PASSTHROUGH: the edge forwards TLS as it is, by the server name. " +
          "Istio's other modes are refused. Required with the protocols HTTPS and TLS.",
      ),
    ),
    serverCertificate: PemFile("File with the server's certificate, followed by intermediate certificates."),
    privateKey: PemFile("File with the key of the certificate."),
    caCertificates: PemFile("File with the certificates of the authorities that sign clients' certificates."),
    credentialName: CredentialName(),
    minProtocolVersion: Type.Optional(
      Choice(VERSIONS, "The oldest version of TLS: TLSV1_2 (TLS_AUTO, default) or TLSV1_3."),
    ),
    maxProtocolVersion: Type.Optional(
      Choice(VERSIONS, "The newest version of TLS: TLSV1_2 or TLSV1_3 (TLS_AUTO, default)."),
    ),
    cipherSuites: Type.Optional(
      Type.Array(Choice(CIPHER_SUITES, "A cipher suite, by OpenSSL's name."), {
        minItems: 1,
        uniqueItems: true,
        description:
          "Cipher suites of TLS 1.2, in order of preference; default those with ECDHE and authenticated encryption. The suites of TLS 1.3 are fixed.",
      }),
    ),
  },
  { description: "How the server terminates TLS." },
);

export type GatewayTlsSpec = Static<typeof GatewayTlsSpec>;

const FILES = ["serverCertificate", "privateKey", "caCertificates"] as const;
const OF_TERMINATION = [
  ...FILES,
  "credentialName",
  "minProtocolVersion",
  "maxProtocolVersion",
  "cipherSuites",
] as const;
const OF_HTTPS = ["mode", ...OF_TERMINATION] as const;
const OF_SERVER = ["httpsRedirect", ...OF_HTTPS] as const;

export const GATEWAY_PROTOCOLS = [
  "HTTP",
  "HTTP2",
  "GRPC",
  "GRPC-WEB",
  "HTTPS",
  "TCP",
  "TLS",
  "MONGO",
] as const;
export type GatewayProtocol = (typeof GATEWAY_PROTOCOLS)[number];

/** The form of a port's connections: HTTP in plain text, bytes in plain text, or TLS around either. */
export function carriedBy(protocol: GatewayProtocol): "http" | "tcp" | "tls" {
  if (protocol === "HTTPS" || protocol === "TLS") return "tls";
  return protocol === "TCP" || protocol === "MONGO" ? "tcp" : "http";
}

/** @param where The place of `tls` in the Gateway's spec. */
export function faultsOfGatewayTls(
  protocol: GatewayProtocol,
  tls: GatewayTlsSpec | undefined,
  where: readonly (string | number)[],
): readonly SpecFault[] {
  const carried = carriedBy(protocol);
  if (carried !== "tls") {
    const useless = carried === "tcp" ? OF_SERVER : OF_HTTPS;
    return uselessFields(tls ?? {}, useless, where, `with the protocol ${protocol}`);
  }
  const fault = (message: string, ...path: string[]): SpecFault => ({ path: [...where, ...path], message });
  if (tls === undefined)
    return [{ path: where.slice(0, -1), message: `A server with the protocol ${protocol} needs tls` }];
  const { mode } = tls;
  if (mode === undefined)
    return [
      fault(
        `A server with the protocol ${protocol} needs tls.mode: SIMPLE, MUTUAL, OPTIONAL_MUTUAL or PASSTHROUGH`,
      ),
    ];
  const reason = UNSUPPORTED_MODES[mode];
  if (reason !== undefined) return [fault(`The mode ${mode} is not supported: ${reason}`, "mode")];
  const faults: SpecFault[] = [];
  if (tls.httpsRedirect === true)
    faults.push(
      fault(
        `httpsRedirect has no effect with the protocol ${protocol}; write it on an HTTP server`,
        "httpsRedirect",
      ),
    );
  if (mode === "PASSTHROUGH")
    return [...faults, ...uselessFields(tls, OF_TERMINATION, where, "with the mode PASSTHROUGH")];
  if (tls.minProtocolVersion === "TLSV1_3" && tls.maxProtocolVersion === "TLSV1_2")
    faults.push(fault("maxProtocolVersion is older than minProtocolVersion", "maxProtocolVersion"));
  if (tls.credentialName !== undefined)
    return [...faults, ...uselessFields(tls, FILES, where, "beside credentialName")];
  if (tls.serverCertificate === undefined || tls.privateKey === undefined)
    faults.push(fault(`The mode ${mode} needs credentialName, or serverCertificate and privateKey`));
  if (mode === "SIMPLE")
    faults.push(...uselessFields(tls, ["caCertificates"], where, "with the mode SIMPLE; use MUTUAL"));
  else if (tls.caCertificates === undefined) faults.push(fault(`The mode ${mode} needs caCertificates`));
  return faults;
}
