// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import Type from "typebox";
import type { TcpListener } from "../../core/traffic/resources/tcp.ts";
import { exactly } from "./schema/exactly.ts";
import { Amount, Text } from "./schema/fields.ts";

// Forwarded TCP in traffic resources, as replies carry them.

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
