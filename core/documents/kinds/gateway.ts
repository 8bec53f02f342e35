// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import Type, { type Static } from "typebox";
import type { SpecFault } from "../../../kernel/diagnostic.ts";
import { FORM_KEYWORD } from "../schema/form.ts";
import { Choice, Closed } from "./fields.ts";
import type { KindDefinition } from "./kind.ts";
import { MapOf } from "./map-of.ts";
import { faultsOfGatewayTls, GatewayTlsSpec, GATEWAY_PROTOCOLS } from "./gateway-tls.ts";
import { NAMESPACED_HOST_PATTERN, PortNumber } from "./traffic-fields.ts";

const GatewaySpec = Closed({
  selector: Type.Optional(
    MapOf(Type.String({ maxLength: 63 }), {
      description:
        "The labels that an edge proxy must have to serve this Gateway, each with this value; all edges when absent. Every edge has " +
        "the label `istio: ingressgateway`, unless `--label` says otherwise.",
    }),
  ),
  servers: Type.Array(
    Closed({
      port: Closed({
        number: PortNumber("The port that the edge proxy listens on."),
        name: Type.String({ minLength: 1, description: "The port's name, for information." }),
        protocol: Choice(
          GATEWAY_PROTOCOLS,
          "HTTP, HTTP2, GRPC: plain text, and all the same. GRPC-WEB: the same, and calls of gRPC-Web on the port are translated to gRPC. HTTPS: HTTP over TLS, which the edge terminates as `tls` says. " +
            "The edge speaks HTTP/1.1 and HTTP/2 on these ports. TCP, MONGO: bytes, which the tcp routes of VirtualServices forward. " +
            "TLS: the bytes within TLS, by tcp routes. HTTPS and TLS with the mode PASSTHROUGH: TLS as it is, by tls routes.",
        ),
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
            "The hosts served on the port: VirtualServices that name this Gateway are attached with the hosts in " +
            "common. A namespace before a host (`.` for the Gateway's own, `*` for any) restricts whose VirtualServices are attached.",
        },
      ),
      name: Type.Optional(Type.String({ description: "The server's name, for information." })),
      tls: Type.Optional(GatewayTlsSpec),
    }),
    { minItems: 1, description: "The ports on which the edge listens." },
  ),
});

export type GatewaySpec = Static<typeof GatewaySpec>;
export type GatewayServerSpec = GatewaySpec["servers"][number];

export const GATEWAY = {
  kind: "Gateway",
  apiVersions: ["networking.istio.io/v1", "networking.istio.io/v1beta1", "networking.istio.io/v1alpha3"],
  description: "Ports and hosts of the mesh's edge.",
  spec: GatewaySpec,
  check: checkGateway,
} as const satisfies KindDefinition;

function checkGateway({ servers }: GatewaySpec): readonly SpecFault[] {
  return servers.flatMap(({ port, tls }, index) =>
    faultsOfGatewayTls(port.protocol, tls, ["servers", index, "tls"]),
  );
}
