// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import Type, { type Static } from "typebox";
import type { SpecFault } from "../../../kernel/diagnostic.ts";
import { FORM_KEYWORD } from "../schema/form.ts";
import { Choice, Closed, REFUSED_KEYWORD } from "./fields.ts";
import type { KindDefinition } from "./kind.ts";
import { LABEL, PortNumber, Protocol, WILDCARD_HOST, WorkloadSelector } from "./traffic-fields.ts";

/** The entry of `hosts` that imports nothing. */
const NOTHING = "~/*";

const Egress = Closed(
  {
    port: Type.Optional(
      Closed(
        {
          number: PortNumber("The services' port."),
          protocol: Protocol(),
          name: Type.Optional(Type.String({ description: "The port's name, for information." })),
        },
        {
          description:
            "The item is about this port of the services alone; default: every port that no other item is about.",
        },
      ),
    ),
    hosts: Type.Array(
      Type.String({
        pattern: `^((${LABEL}|[*.])/${WILDCARD_HOST}|~/\\*)$`,
        maxLength: 320,
        description:
          "`NAMESPACE/HOST`: the services and VirtualServices of the namespace (`.` for the workload's own, `*` for any) that the host, " +
          "`*.example.com` or `*` covers. `~/*`: none.",
        [FORM_KEYWORD]: "NAMESPACE/HOST, such as shop/*, ./reviews.shop.svc.cluster.local, */* or ~/*",
      }),
      { minItems: 1, description: "The services that the workloads may call." },
    ),
  },
  {
    [REFUSED_KEYWORD]: {
      bind: "a sidecar has one outbound listener, on loopback; leave the field out",
      captureMode:
        "applications name the sidecar as their proxy, and no traffic is captured; leave the field out",
    },
  },
);

const SidecarSpec = Closed(
  {
    workloadSelector: Type.Optional(
      WorkloadSelector("The workloads of the namespace that this Sidecar is for; all of them when absent."),
    ),
    egress: Type.Optional(
      Type.Array(Egress, {
        minItems: 1,
        description: "The services that the workloads may call; every visible service when absent.",
      }),
    ),
    outboundTrafficPolicy: Type.Optional(
      Closed(
        {
          mode: Choice(
            ["REGISTRY_ONLY"],
            "REGISTRY_ONLY (default): a call of a host that is not imported gets 404.",
          ),
        },
        {
          description: "Calls of hosts that are not imported.",
          [REFUSED_KEYWORD]: {
            egressProxy: "write a ServiceEntry for the outside host and a VirtualService that routes it",
          },
        },
      ),
    ),
  },
  {
    [REFUSED_KEYWORD]: {
      ingress: "the flags --inbound-port and --app of purser proxy set a sidecar's inbound listener",
      inboundConnectionPool: "write limits.maxConnections in the MeshConfig",
    },
  },
);

export type SidecarSpec = Static<typeof SidecarSpec>;

export const SIDECAR = {
  kind: "Sidecar",
  apiVersions: ["networking.istio.io/v1", "networking.istio.io/v1beta1", "networking.istio.io/v1alpha3"],
  description: "The services that the sidecars of some workloads know.",
  spec: SidecarSpec,
  check: checkSidecar,
} as const satisfies KindDefinition;

/** Istio refuses the same lists. */
function checkSidecar({ egress = [] }: SidecarSpec): readonly SpecFault[] {
  return egress.flatMap(({ port, hosts }, index): readonly SpecFault[] => {
    const faults: SpecFault[] = [];
    const path = ["egress", index];
    if (port === undefined && index < egress.length - 1)
      faults.push({ path, message: "An item without a port is about all other ports, and must be the last" });
    if (port !== undefined && egress.findIndex((other) => other.port?.number === port.number) < index)
      faults.push({ path: [...path, "port", "number"], message: `Port ${port.number} is listed twice` });
    if (hosts.length > 1 && hosts.includes(NOTHING))
      faults.push({
        path: [...path, "hosts", hosts.indexOf(NOTHING)],
        message: `"${NOTHING}" imports nothing, and must be the only host`,
      });
    return faults;
  });
}
