// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import Type from "typebox";
import {
  type CredentialFiles,
  TLS_VERSIONS,
  type TlsServer,
  type UpstreamTls,
} from "../../core/traffic/resources/tls.ts";
import { exactly } from "./schema/exactly.ts";
import { oneOf, Text } from "./schema/fields.ts";

// TLS in traffic resources, as replies carry them.

const CredentialSchema = exactly<CredentialFiles>()(
  Type.Object({
    credentialName: Type.Optional(Text),
    certificateFile: Type.Optional(Text),
    privateKeyFile: Type.Optional(Text),
    authoritiesFile: Type.Optional(Text),
  }),
);

/** Without a trust domain, no peer would be accepted. */
export const TrustDomains = Type.Array(Text, { minItems: 1 });

const MeshPeersSchema = Type.Object({ trustDomains: TrustDomains });

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
    peers: Type.Optional(MeshPeersSchema),
  }),
);

export const UpstreamTlsSchema = exactly<UpstreamTls>()(
  Type.Object({
    credential: CredentialSchema,
    serverName: Text,
    subjectAltNames: Type.Array(Text),
    skipsVerification: Type.Boolean(),
    peers: Type.Optional(MeshPeersSchema),
  }),
);
