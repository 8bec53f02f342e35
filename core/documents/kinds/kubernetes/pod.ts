// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import Type, { type Static } from "typebox";
import type { KindDefinition } from "../kind.ts";
import { PortNumber } from "../traffic-fields.ts";
import { IpAddress, Nullable, ObjectName, Open } from "./open-fields.ts";

const PodSchema = Open({
  metadata: Open({
    deletionTimestamp: Nullable(
      Type.String({ maxLength: 64, description: "The Pod ends: it gets no requests." }),
    ),
  }),
  spec: Type.Optional(
    Open({
      serviceAccountName: Type.Optional(ObjectName("The workload's service account; default `default`.")),
      nodeName: Type.Optional(ObjectName("The Node, whose labels are the locality.")),
      containers: Nullable(
        Type.Array(
          Open({
            ports: Nullable(
              Type.Array(
                Open({
                  name: Type.Optional(
                    Type.String({ maxLength: 63, description: "The name that a Service's targetPort has." }),
                  ),
                  containerPort: PortNumber("The port."),
                }),
                { maxItems: 1_000, description: "The container's ports." },
              ),
            ),
          }),
          { maxItems: 1_000, description: "The containers." },
        ),
      ),
    }),
  ),
  status: Type.Optional(
    Open({
      podIP: Type.Optional(IpAddress("The address; a Pod without one gets no requests.")),
      phase: Type.Optional(
        Type.String({ maxLength: 32, description: "Only a Pod that is Running (default) gets requests." }),
      ),
      conditions: Nullable(
        Type.Array(
          Open({
            type: Type.String({ maxLength: 316, description: "Ready; others are ignored." }),
            status: Type.String({ maxLength: 16, description: "True, or the Pod gets no requests." }),
          }),
          { maxItems: 1_000, description: "The Pod's state; a Pod without the condition Ready is ready." },
        ),
      ),
    }),
  ),
});

export type PodDocument = Static<typeof PodSchema>;

export const POD = {
  kind: "Pod",
  apiVersions: ["v1"],
  description: "A workload of Kubernetes: the labels, the service account and the locality of an address.",
  spec: PodSchema,
  whole: true,
} as const satisfies KindDefinition;

export const NODE = {
  kind: "Node",
  apiVersions: ["v1"],
  description: "A machine of Kubernetes: its labels are the locality of the Pods on it.",
  spec: Open({}),
  whole: true,
} as const satisfies KindDefinition;
