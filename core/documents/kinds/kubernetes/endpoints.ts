// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import Type, { type Static } from "typebox";
import { Choice } from "../fields.ts";
import type { KindDefinition } from "../kind.ts";
import { MapOf } from "../map-of.ts";
import { PortNumber } from "../traffic-fields.ts";
import { IpAddress, Nullable, ObjectName, Open, TargetRef } from "./open-fields.ts";

/** The label of an EndpointSlice with the name of its Service. */
export const SERVICE_NAME_LABEL = "kubernetes.io/service-name";

/** Kubernetes limits a slice to 1,000 endpoints, and Endpoints to 1,000 addresses. */
const MAX_ENDPOINTS = 1_000;

const Ports = Nullable(
  Type.Array(
    Open({
      name: Nullable(
        Type.String({ maxLength: 63, description: "The name of the service's port; default none." }),
      ),
      port: Nullable(PortNumber("The port of the addresses.")),
    }),
    { maxItems: 1_000, description: "The ports, by the names of the service's." },
  ),
);

const EndpointSliceSchema = Open({
  addressType: Choice(["IPv4", "IPv6", "FQDN"], "Form of the addresses; slices with FQDN are ignored."),
  endpoints: Nullable(
    Type.Array(
      Open({
        addresses: Type.Array(Type.String({ maxLength: 253 }), {
          minItems: 1,
          maxItems: 100,
          description: "The endpoint's IP addresses, all of which get requests.",
        }),
        conditions: Nullable(
          Open(
            {
              ready: Nullable(
                Type.Boolean({ description: "false: the endpoint gets no requests; default true." }),
              ),
            },
            {
              description:
                "The endpoint's state. serving and terminating are ignored, for ready says all of it.",
            },
          ),
        ),
        nodeName: Nullable(ObjectName("The Node, whose labels are the locality.")),
        zone: Nullable(Type.String({ maxLength: 63, description: "The zone, where the Node is not known." })),
        deprecatedTopology: Nullable(
          MapOf(Type.String(), { description: "Labels of the Node, with its region." }),
        ),
        targetRef: TargetRef(),
      }),
      { maxItems: MAX_ENDPOINTS, description: "The endpoints." },
    ),
  ),
  ports: Ports,
});

export type EndpointSliceDocument = Static<typeof EndpointSliceSchema>;

export const ENDPOINT_SLICE = {
  kind: "EndpointSlice",
  apiVersions: ["discovery.k8s.io/v1", "discovery.k8s.io/v1beta1"],
  description: `Endpoints of the Service that the label \`${SERVICE_NAME_LABEL}\` names.`,
  spec: EndpointSliceSchema,
  whole: true,
} as const satisfies KindDefinition;

const Addresses = Nullable(
  Type.Array(
    Open({
      ip: IpAddress("The address."),
      nodeName: Nullable(ObjectName("The Node, whose labels are the locality.")),
      targetRef: TargetRef(),
    }),
    { maxItems: MAX_ENDPOINTS, description: "Addresses that are ready; notReadyAddresses are ignored." },
  ),
);

const EndpointsSchema = Open({
  subsets: Nullable(
    Type.Array(Open({ addresses: Addresses, ports: Ports }), {
      maxItems: MAX_ENDPOINTS,
      description: "Addresses with their ports.",
    }),
  ),
});

export type EndpointsDocument = Static<typeof EndpointsSchema>;

export const ENDPOINTS = {
  kind: "Endpoints",
  apiVersions: ["v1"],
  description: "Endpoints of the Service of the same name; ignored beside an EndpointSlice of it.",
  spec: EndpointsSchema,
  whole: true,
} as const satisfies KindDefinition;
