// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import Type, { type Static } from "typebox";
import { Choice, Closed, REFUSED_KEYWORD } from "../fields.ts";
import type { SpecFault } from "../../../../kernel/diagnostic.ts";
import type { KindDefinition } from "../kind.ts";
import { MapOf } from "../map-of.ts";
import { PortNumber } from "../traffic-fields.ts";
import { gatewayApiVersions, Group, Hostname, Kind, NamespaceName, ObjectName } from "./fields.ts";

const SecretRef = Closed({
  group: Group("Empty (default)."),
  kind: Kind("Secret (default)."),
  name: ObjectName(
    "The Secret's name: the folder of the proxy's folder of credentials with tls.crt and tls.key.",
  ),
  namespace: NamespaceName(
    "Default the Gateway's. Another one needs a ReferenceGrant there, else the listener is not served.",
  ),
});

const ListenerTls = Closed(
  {
    mode: Type.Optional(
      Choice(
        ["Terminate", "Passthrough"],
        "Terminate (default): the edge ends TLS. Passthrough: TLSRoutes forward TLS as it is.",
      ),
    ),
    certificateRefs: Type.Optional(
      Type.Array(SecretRef, {
        maxItems: 64,
        description: "The certificate; the first counts, others have no effect.",
      }),
    ),
    options: Type.Optional(
      MapOf(Type.String(), { description: "Settings of other programs, without effect here." }),
    ),
  },
  {
    [REFUSED_KEYWORD]: {
      frontendValidation: "write Istio's Gateway with tls.mode: MUTUAL to check clients' certificates",
    },
  },
);

const LabelSelector = Closed(
  {
    matchLabels: Type.Optional(
      MapOf(Type.String(), {
        description:
          "Only `kubernetes.io/metadata.name` is known here, the namespace's name; with other labels no namespace is selected.",
      }),
    ),
    matchExpressions: Type.Optional(
      Type.Array(
        Closed({
          key: Type.String({ minLength: 1, description: "The label." }),
          operator: Choice(
            ["In", "NotIn", "Exists", "DoesNotExist"],
            "In alone is known here, of `kubernetes.io/metadata.name`.",
          ),
          values: Type.Optional(Type.Array(Type.String(), { description: "The label's values." })),
        }),
        { description: "Conditions on labels." },
      ),
    ),
  },
  { description: "The namespaces whose routes may be attached, with `from: Selector`." },
);

const Listener = Closed({
  name: ObjectName("The listener's name, which a route's sectionName names."),
  hostname: Type.Optional(Hostname("The hosts that the listener serves; default: all.")),
  port: PortNumber("The port that the edge proxy listens on."),
  protocol: Choice(
    ["HTTP", "HTTPS", "TLS", "TCP", "UDP"],
    "HTTP, HTTPS (TLS ends at the edge), TLS (TLSRoutes, and TCPRoutes where TLS ends at the edge) TCP (TCPRoutes). A listener with UDP is not served, with a warning.",
  ),
  tls: Type.Optional(ListenerTls),
  allowedRoutes: Type.Optional(
    Closed({
      namespaces: Type.Optional(
        Closed({
          from: Type.Optional(
            Choice(
              ["All", "Same", "Selector", "None"],
              "The namespaces whose routes may be attached: Same (default), All, None, or those of the selector.",
            ),
          ),
          selector: Type.Optional(LabelSelector),
        }),
      ),
      kinds: Type.Optional(
        Type.Array(
          Closed({ group: Group("Default the Gateway API's."), kind: ObjectName("A kind of route.") }),
          {
            maxItems: 8,
            description: "The kinds of routes that may be attached; default: those of the protocol.",
          },
        ),
      ),
    }),
  ),
});

const GatewaySpecSchema = Closed(
  {
    gatewayClassName: ObjectName("The GatewayClass, without effect here: Purser serves every Gateway."),
    listeners: Type.Array(Listener, {
      minItems: 1,
      maxItems: 64,
      description: "The ports on which the edge listens.",
    }),
    addresses: Type.Optional(
      Type.Array(Closed({ type: Type.Optional(Type.String()), value: Type.Optional(Type.String()) }), {
        description: "Without effect here: the flags of the edge say where it listens.",
      }),
    ),
    infrastructure: Type.Optional(
      Type.Unknown({ description: "Without effect here: Purser starts no edges." }),
    ),
  },
  {
    [REFUSED_KEYWORD]: {
      tls: "write Istio's Gateway with tls.mode: MUTUAL to check clients' certificates",
      allowedListeners: "ListenerSets are not supported; write the listeners in the Gateway",
      defaultScope: "routes without parentRefs are attached to nothing; write parentRefs",
    },
  },
);

export type KubernetesGatewaySpec = Static<typeof GatewaySpecSchema>;
export type ListenerSpec = KubernetesGatewaySpec["listeners"][number];

/** The Gateway of the Gateway API, beside Istio's kind of the same name. */
export const KUBERNETES_GATEWAY = {
  kind: "KubernetesGateway",
  writtenAs: "Gateway",
  apiVersions: gatewayApiVersions("v1", "v1beta1"),
  description: "Ports and hosts of the mesh's edge, in the Gateway API's form.",
  spec: GatewaySpecSchema,
  check: checkGateway,
} as const satisfies KindDefinition;

function checkGateway({ listeners }: KubernetesGatewaySpec): readonly SpecFault[] {
  const names = new Set<string>();
  return listeners.flatMap(
    ({ name, protocol, tls, allowedRoutes, hostname }, index): readonly SpecFault[] => {
      const at = ["listeners", index];
      const faults: SpecFault[] = [];
      if (names.has(name))
        faults.push({ path: [...at, "name"], message: `There is another listener ${name}` });
      names.add(name);
      const isTls = protocol === "HTTPS" || protocol === "TLS";
      if (!isTls && tls !== undefined)
        faults.push({ path: [...at, "tls"], message: `tls has no effect with the protocol ${protocol}` });
      if (protocol === "TCP" && hostname !== undefined)
        faults.push({ path: [...at, "hostname"], message: "A connection of TCP has no host name" });
      const passes = tls?.mode === "Passthrough";
      if (protocol === "HTTPS" && passes)
        faults.push({
          path: [...at, "tls", "mode"],
          message: "Passthrough needs the protocol TLS, and a TLSRoute",
        });
      if (isTls && !passes && (tls?.certificateRefs ?? []).length === 0)
        faults.push({
          path: at,
          message: `A listener with the protocol ${protocol} needs tls.certificateRefs`,
        });
      if (passes && (tls.certificateRefs ?? []).length > 0)
        faults.push({
          path: [...at, "tls", "certificateRefs"],
          message: "certificateRefs has no effect with Passthrough",
        });
      const { from, selector } = allowedRoutes?.namespaces ?? {};
      if (from === "Selector" && selector === undefined)
        faults.push({
          path: [...at, "allowedRoutes", "namespaces"],
          message: "from: Selector needs a selector",
        });
      return faults;
    },
  );
}

export const GATEWAY_CLASS = {
  kind: "GatewayClass",
  apiVersions: gatewayApiVersions("v1", "v1beta1"),
  description: "A class of Gateways, which Purser ignores: it serves every Gateway.",
  spec: Closed({
    controllerName: Type.String({
      minLength: 1,
      maxLength: 253,
      description: "The controller, without effect here.",
    }),
    parametersRef: Type.Optional(Type.Unknown({ description: "Without effect here." })),
    description: Type.Optional(Type.String({ description: "For people." })),
  }),
} as const satisfies KindDefinition;
