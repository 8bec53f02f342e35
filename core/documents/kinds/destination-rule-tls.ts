// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import Type, { type Static } from "typebox";
import type { SpecFault } from "../../../kernel/diagnostic.ts";
import { Choice, Closed } from "./fields.ts";
import { CredentialName, PemFile, uselessFields } from "./tls-fields.ts";

export const ClientTlsSpec = Closed(
  {
    mode: Choice(
      ["DISABLE", "SIMPLE", "MUTUAL", "ISTIO_MUTUAL"],
      "DISABLE: plain text. SIMPLE: TLS. MUTUAL: TLS with a client certificate. ISTIO_MUTUAL: mutual TLS with sidecars, by the proxy's own certificate.",
    ),
    clientCertificate: PemFile("File with the client's certificate, followed by intermediate certificates."),
    privateKey: PemFile("File with the key of the certificate."),
    caCertificates: PemFile(
      "File with the certificates of the authorities that sign the servers' certificates; default: the authorities that Node.js knows.",
    ),
    credentialName: CredentialName(),
    subjectAltNames: Type.Optional(
      Type.Array(Type.String({ minLength: 1, maxLength: 2_048 }), {
        description:
          "The server's certificate must have one of these subject alternative names: DNS names, URIs or IP addresses; default: the server name.",
      }),
    ),
    sni: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 253,
        description: "The server name that is asked for (SNI); default: the service's host.",
      }),
    ),
    insecureSkipVerify: Type.Optional(
      Type.Boolean({ description: "Whether any certificate is accepted; default false." }),
    ),
  },
  { description: "TLS on connections to endpoints; default: plain text." },
);

export type ClientTlsSpec = Static<typeof ClientTlsSpec>;

const OF_CLIENT = ["clientCertificate", "privateKey"] as const;
const FILES = [...OF_CLIENT, "caCertificates"] as const;
const OF_TLS = [...FILES, "credentialName", "subjectAltNames", "sni", "insecureSkipVerify"] as const;

/** @param where The place of `tls` in the DestinationRule's spec. */
export function faultsOfClientTls(
  tls: ClientTlsSpec | undefined,
  where: readonly (string | number)[],
): readonly SpecFault[] {
  if (tls === undefined) return [];
  const fault = (message: string, ...path: string[]): SpecFault => ({ path: [...where, ...path], message });
  const { mode, insecureSkipVerify } = tls;
  if (mode === "DISABLE") return uselessFields(tls, OF_TLS, where, "with the mode DISABLE");
  if (mode === "ISTIO_MUTUAL")
    return uselessFields(
      tls,
      [...FILES, "credentialName", "insecureSkipVerify"],
      where,
      "with the mode ISTIO_MUTUAL, which uses the proxy's own certificate",
    );
  const faults: SpecFault[] = [];
  if (insecureSkipVerify === true)
    faults.push(
      ...uselessFields(tls, ["subjectAltNames", "caCertificates"], where, "with insecureSkipVerify"),
    );
  if (tls.credentialName !== undefined)
    return [...faults, ...uselessFields(tls, FILES, where, "beside credentialName")];
  if (mode === "SIMPLE")
    faults.push(...uselessFields(tls, OF_CLIENT, where, "with the mode SIMPLE; use MUTUAL"));
  else if (tls.clientCertificate === undefined || tls.privateKey === undefined)
    faults.push(fault("The mode MUTUAL needs credentialName, or clientCertificate and privateKey"));
  return faults;
}
