// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import Type from "typebox";
import type { TcpListener } from "../../core/traffic/resources/tcp.ts";
import {
  type CredentialFiles,
  TLS_VERSIONS,
  type TlsServer,
  type UpstreamTls,
} from "../../core/traffic/resources/tls.ts";
import { exactly } from "./schema/exactly.ts";
import { Amount, oneOf, Text } from "./schema/fields.ts";

// The parts of traffic resources about connections: TLS and forwarded TCP.

const CredentialSchema = exactly<CredentialFiles>()(
  Type.Object({
    credentialName: Type.Optional(Text),
    certificateFile: Type.Optional(Text),
    privateKeyFile: Type.Optional(Text),
    authoritiesFile: Type.Optional(Text),
  }),
);

export const TlsServerSchema = exactly<TlsServer>()(
  Type.Object({
    name: Text,
    serverNames: Type.Array(Text),
    routeTable: Text,
    protocol: Type.Optional(Type.Literal("tcp")),
    mode: oneOf(["simple", "mutual", "optional-mutual"]),
    credential: CredentialSchema,
    minVersion: oneOf(TLS_VERSIONS),
    maxVersion: oneOf(TLS_VERSIONS),
    cipherSuites: Type.Array(Text, { minItems: 1 }),
  }),
);

export const UpstreamTlsSchema = exactly<UpstreamTls>()(
  Type.Object({
    credential: CredentialSchema,
    serverName: Text,
    subjectAltNames: Type.Array(Text),
    skipsVerification: Type.Boolean(),
  }),
);

export const TcpListenerSchema = exactly<TcpListener>()(
  Type.Object({
    plainTable: Type.Optional(Text),
    passthroughServers: Type.Array(
      Type.Object({ name: Text, serverNames: Type.Array(Text), routeTable: Text }),
    ),
    tables: Type.Array(
      Type.Object({
        name: Text,
        routes: Type.Array(
          Type.Object({
            name: Text,
            matches: Type.Array(
              Type.Object({ serverNames: Type.Array(Text), destinationSubnets: Type.Array(Text) }),
            ),
            destinations: Type.Array(Type.Object({ cluster: Text, weight: Amount })),
          }),
        ),
      }),
    ),
  }),
);
