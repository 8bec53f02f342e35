// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import Type, { type Static } from "typebox";
import type { SpecFault } from "../../../../kernel/diagnostic.ts";
import { Closed } from "../fields.ts";
import type { KindDefinition } from "../kind.ts";
import { faultsOfBackends } from "./backend-faults.ts";
import { gatewayApiVersions, Hostnames, ObjectName, ParentRefs, TARGET_FIELDS, Weight } from "./fields.ts";

const Rules = Type.Array(
  Closed({
    name: Type.Optional(ObjectName("The rule's name, for information.")),
    backendRefs: Type.Array(Closed({ ...TARGET_FIELDS, weight: Weight }), {
      minItems: 1,
      maxItems: 16,
      description: "Destinations of the connections.",
    }),
  }),
  { minItems: 1, maxItems: 1, description: "The one rule." },
);

const TlsRouteSpecSchema = Closed({ parentRefs: ParentRefs(), hostnames: Hostnames(), rules: Rules });
const TcpRouteSpecSchema = Closed({ parentRefs: ParentRefs(), rules: Rules });

export type TlsRouteDocSpec = Static<typeof TlsRouteSpecSchema>;
export type TcpRouteDocSpec = Static<typeof TcpRouteSpecSchema>;

export const TLS_ROUTE = {
  kind: "TLSRoute",
  apiVersions: gatewayApiVersions("v1", "v1alpha3", "v1alpha2"),
  description: "Destinations of TLS connections, by the server name that the client asks for.",
  spec: TlsRouteSpecSchema,
  check: checkConnectionRoute,
} as const satisfies KindDefinition;

export const TCP_ROUTE = {
  kind: "TCPRoute",
  apiVersions: gatewayApiVersions("v1", "v1alpha2"),
  description: "Destinations of a listener's connections.",
  spec: TcpRouteSpecSchema,
  check: checkConnectionRoute,
} as const satisfies KindDefinition;

function checkConnectionRoute({ rules }: Pick<TcpRouteDocSpec, "rules">): readonly SpecFault[] {
  return rules.flatMap(({ backendRefs }, index) =>
    faultsOfBackends(backendRefs, ["rules", index, "backendRefs"]),
  );
}
