// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import Type, { type Static } from "typebox";
import { FORM_KEYWORD } from "../schema/form.ts";
import { Choice, Closed } from "./fields.ts";
import type { KindDefinition } from "./kind.ts";
import { NAMESPACED_HOST_PATTERN, PortNumber, Protocol } from "./traffic-fields.ts";

const GatewaySpec = Closed({
  selector: Type.Optional(
    Closed(
      { istio: Type.Optional(Choice(["ingressgateway"], "The only sort of edge there is: ingressgateway.")) },
      {
        description:
          "Which edge proxies serve this: every one carries the label `istio: ingressgateway`, and no other. All when absent.",
      },
    ),
  ),
  servers: Type.Array(
    Closed({
      port: Closed({
        number: PortNumber("The port that the edge proxy listens on."),
        name: Type.String({ minLength: 1, description: "The port's name, for people." }),
        protocol: Protocol(),
      }),
      hosts: Type.Array(
        Type.String({
          pattern: NAMESPACED_HOST_PATTERN,
          maxLength: 320,
          description: "`shop.example.com`, `*.example.com` or `*`, or one of them after `NAMESPACE/`.",
          [FORM_KEYWORD]: "a host name in lower case, *.example.com or *, perhaps after NAMESPACE/",
        }),
        {
          minItems: 1,
          description:
            "What is served on the port: the VirtualServices that name this Gateway attach with the hosts they have in " +
            "common. A namespace before a host (`.` for the Gateway's own, `*` for any) says whose VirtualServices may.",
        },
      ),
      name: Type.Optional(Type.String({ description: "The server's name, for people." })),
    }),
    { minItems: 1, description: "What the edge listens for." },
  ),
});

export type GatewaySpec = Static<typeof GatewaySpec>;

export const GATEWAY = {
  kind: "Gateway",
  apiVersions: ["networking.istio.io/v1", "networking.istio.io/v1beta1", "networking.istio.io/v1alpha3"],
  description: "Where the edge of the mesh listens, and for which hosts.",
  spec: GatewaySpec,
} as const satisfies KindDefinition;
