// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import Type, { type Static } from "typebox";
import { LOCALITY_PATTERN, MAX_LOCALITY_LENGTH } from "../../traffic/locality.ts";
import { FORM_KEYWORD } from "../schema/form.ts";
import { Closed, REFUSED_KEYWORD } from "./fields.ts";
import type { KindDefinition } from "./kind.ts";
import { MapOf } from "./map-of.ts";
import { HOST_PATTERN, PortNumber } from "./traffic-fields.ts";

/** Label of an endpoint that is a sidecar, which checks and charges each request itself. */
export const SIDECAR_LABEL = "purser.dev/sidecar";

/** Istio's label for the endpoint's workload. */
export const WORKLOAD_LABEL = "service.istio.io/workload-name";

/** A workload, in a document of its own or among the endpoints of a ServiceEntry. */
export function Workload() {
  return Closed(
    {
      address: Type.String({
        pattern: `${HOST_PATTERN}|^[0-9A-Fa-f:.]+$`,
        maxLength: 253,
        description: "An IP address, or a name when the ServiceEntry's resolution is DNS.",
        [FORM_KEYWORD]: "an IP address or a host name in lower case",
      }),
      ports: Type.Optional(
        MapOf(PortNumber("The endpoint's port."), {
          description: "This endpoint's ports by port name, where they differ from targetPort.",
        }),
      ),
      labels: Type.Optional(
        MapOf(Type.String(), {
          description: `Labels for subsets. ${SIDECAR_LABEL}: "true" marks a sidecar; ${WORKLOAD_LABEL} names the workload.`,
        }),
      ),
      locality: Type.Optional(
        Type.String({
          pattern: LOCALITY_PATTERN,
          maxLength: MAX_LOCALITY_LENGTH,
          description: "The endpoint's place: region/zone/subzone, later parts optional; default unknown.",
          [FORM_KEYWORD]: "a locality such as region/zone/subzone",
        }),
      ),
      weight: Type.Optional(
        Type.Integer({
          minimum: 1,
          maximum: 1_000_000,
          description: "The share of requests, relative to the other endpoints; default 1.",
        }),
      ),
      serviceAccount: Type.Optional(
        Type.String({ minLength: 1, maxLength: 253, description: "The workload's service account." }),
      ),
    },
    {
      [REFUSED_KEYWORD]: {
        network:
          "every proxy must reach the address directly, for there are no gateways between networks; leave the field out",
      },
    },
  );
}

const WorkloadEntrySpec = Workload();

export type WorkloadEntrySpec = Static<typeof WorkloadEntrySpec>;

export const WORKLOAD_ENTRY = {
  kind: "WorkloadEntry",
  apiVersions: ["networking.istio.io/v1", "networking.istio.io/v1beta1", "networking.istio.io/v1alpha3"],
  description: "A workload, which the workloadSelector of a ServiceEntry makes an endpoint of a service.",
  spec: WorkloadEntrySpec,
} as const satisfies KindDefinition;
