// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import Type, { type Static } from "typebox";
import { FORM_KEYWORD } from "../../schema/form.ts";
import type { KindDefinition } from "../kind.ts";
import { MapOf } from "../map-of.ts";
import { PortNumber } from "../traffic-fields.ts";
import { Nullable, Open } from "./open-fields.ts";

const ServicePort = Open({
  name: Type.Optional(
    Type.String({
      maxLength: 63,
      description:
        "The port's name. Its protocol is the name up to the first `-`, unless appProtocol says it: `http`, `http2`, `grpc` or `grpc-web`. Another name is HTTP too, unless it begins with a protocol that is not.",
    }),
  ),
  port: PortNumber("The port that clients call."),
  targetPort: Type.Optional(
    Type.Union([PortNumber("A number."), Type.String({ minLength: 1, maxLength: 63 })], {
      description: "The Pods' port, or the name of a container's port; default the same number.",
      [FORM_KEYWORD]: "a port from 1 to 65535, or the name of a container's port",
    }),
  ),
  protocol: Type.Optional(
    Type.String({ maxLength: 16, description: "TCP (default); ports of others are left out." }),
  ),
  appProtocol: Type.Optional(
    Type.String({ maxLength: 253, description: "The protocol; comes before the port's name." }),
  ),
});

const ServiceSchema = Open({
  spec: Open({
    ports: Nullable(Type.Array(ServicePort, { maxItems: 1_000, description: "The service's ports." })),
    selector: Nullable(
      MapOf(Type.String(), {
        description:
          "The labels of its Pods and WorkloadEntries. Pods count only while no EndpointSlice and no Endpoints have the service.",
      }),
    ),
    type: Type.Optional(
      Type.String({ maxLength: 32, description: "ExternalName, or another type; these are all the same." }),
    ),
    clusterIP: Type.Optional(
      Type.String({ maxLength: 45, description: "None for a headless service, which is the same here." }),
    ),
    externalName: Type.Optional(
      Type.String({
        maxLength: 253,
        description:
          "With the type ExternalName: the name that the service stands for, of another service or of an outside host.",
      }),
    ),
    ipFamilies: Nullable(
      Type.Array(Type.String({ maxLength: 8 }), {
        maxItems: 2,
        description: "IPv4 or IPv6: of the first come the addresses; default IPv4 if there are any.",
      }),
    ),
    publishNotReadyAddresses: Type.Optional(
      Type.Boolean({ description: "Whether Pods that are not ready get requests; default false." }),
    ),
  }),
});

export type ServiceDocument = Static<typeof ServiceSchema>;
export type ServicePortSpec = Static<typeof ServicePort>;

export const SERVICE = {
  kind: "Service",
  apiVersions: ["v1"],
  description: "A service of Kubernetes: `NAME.NAMESPACE.svc.cluster.local` and its ports.",
  spec: ServiceSchema,
  whole: true,
} as const satisfies KindDefinition;
