// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import ipaddr from "ipaddr.js";
import Type, { type Static } from "typebox";
import { ExportTo, faultsOfExportTo } from "./export-to.ts";
import { Choice, Closed } from "./fields.ts";
import { FORM_KEYWORD } from "../schema/form.ts";
import type { KindDefinition } from "./kind.ts";
import type { SpecFault } from "../../../kernel/diagnostic.ts";
import { Host, PortNumber, WorkloadSelector } from "./traffic-fields.ts";
import { Workload } from "./workload-entry.ts";

const BYTE_PROTOCOLS = ["TCP", "TLS", "HTTPS", "MONGO", "MYSQL", "REDIS"] as const;
const SERVICE_PROTOCOLS: readonly string[] = ["HTTP", "HTTP2", "GRPC", "GRPC-WEB", ...BYTE_PROTOCOLS];

/** Whether a port's connections are forwarded as bytes, unless an HTTP route leads there. */
export function carriesBytes({ protocol }: ServiceEntrySpec["ports"][number]): boolean {
  return (BYTE_PROTOCOLS as readonly string[]).includes(protocol.toUpperCase());
}

const ServiceEntrySpec = Closed({
  hosts: Type.Array(Host("A host name of the service."), {
    minItems: 1,
    description: "The service's names: each becomes a service with these ports and endpoints.",
  }),
  location: Type.Optional(
    Choice(
      ["MESH_EXTERNAL", "MESH_INTERNAL"],
      "MESH_EXTERNAL (default): sidecars reach the service, and an edge only through a Gateway. MESH_INTERNAL: part of the " +
        "mesh; an edge without Gateways reaches the service too.",
    ),
  ),
  ports: Type.Array(
    Closed({
      number: PortNumber("The port that clients call."),
      name: Type.String({ minLength: 1, description: "The port's name in endpoints[].ports." }),
      protocol: Choice(
        [...SERVICE_PROTOCOLS, ...SERVICE_PROTOCOLS.map((name) => name.toLowerCase())],
        "The protocol, in capitals or not: HTTP is HTTP/1.1 towards endpoints; HTTP2 and GRPC are HTTP/2 without TLS. GRPC-WEB: GRPC, and proxies translate calls of gRPC-Web to it. Proxies accept both on every port. " +
          "TCP, TLS, HTTPS, MONGO, MYSQL, REDIS: bytes, for the tcp and tls routes of VirtualServices; HTTP routes may lead there too.",
      ),
      targetPort: Type.Optional(PortNumber("The endpoints' port; default the same number.")),
    }),
    { minItems: 1, description: "The service's ports." },
  ),
  resolution: Choice(
    ["STATIC", "DNS", "DNS_ROUND_ROBIN", "NONE"],
    "STATIC: endpoint addresses are IP addresses. DNS: addresses may be names, and each address of a name is an endpoint. " +
      "DNS_ROUND_ROBIN: only the first address of the newest answer is. Without endpoints the host itself is the address. NONE: it always is.",
  ),
  endpoints: Type.Optional(Type.Array(Workload(), { minItems: 1, description: "The service's endpoints." })),
  workloadSelector: Type.Optional(
    WorkloadSelector("Makes endpoints of the WorkloadEntries in the same namespace with these labels."),
  ),
  subjectAltNames: Type.Optional(
    Type.Array(
      Type.String({
        pattern: "^spiffe://[a-z0-9._-]+(/[A-Za-z0-9._-]+)+$",
        maxLength: 2_048,
        description: "A SPIFFE id.",
        [FORM_KEYWORD]: "a SPIFFE id such as spiffe://cluster.local/ns/shop/sa/cart",
      }),
      {
        minItems: 1,
        description:
          "The identities of the service's workloads: with mutual TLS, the certificate of an endpoint must have one of these, or " +
          "that of the endpoint's serviceAccount; any id of the mesh where neither is known.",
      },
    ),
  ),
  addresses: Type.Optional(
    Type.Array(
      Type.String({
        pattern: "^[0-9A-Fa-f:.]+(/[0-9]{1,3})?$",
        maxLength: 49,
        description: "An IP address, or a block of them, which is without effect.",
      }),
      {
        maxItems: 100,
        description:
          "The service's own addresses: a request whose host is one of them is for the service too.",
      },
    ),
  ),
  exportTo: ExportTo(),
});

export type ServiceEntrySpec = Static<typeof ServiceEntrySpec>;

export const SERVICE_ENTRY = {
  kind: "ServiceEntry",
  apiVersions: ["networking.istio.io/v1", "networking.istio.io/v1beta1", "networking.istio.io/v1alpha3"],
  description: "A service: its host names, ports and endpoints.",
  spec: ServiceEntrySpec,
  check: checkServiceEntry,
} as const satisfies KindDefinition;

function checkServiceEntry(spec: ServiceEntrySpec): readonly SpecFault[] {
  const faults: SpecFault[] = [...faultsOfExportTo(spec.exportTo)];
  spec.ports.forEach((port, index) => {
    if (spec.ports.findIndex((other) => other.number === port.number) < index)
      faults.push({ path: ["ports", index, "number"], message: `Port ${port.number} is listed twice` });
    if (spec.ports.findIndex((other) => other.name === port.name) < index)
      faults.push({
        path: ["ports", index, "name"],
        message: `Two ports are named ${JSON.stringify(port.name)}`,
      });
  });
  if (spec.endpoints !== undefined && spec.workloadSelector !== undefined)
    faults.push({
      path: ["workloadSelector"],
      message: "A ServiceEntry has either endpoints or a workloadSelector; this one has both",
    });
  if (spec.resolution === "NONE" && spec.endpoints !== undefined)
    faults.push({
      path: ["endpoints"],
      message: "Resolution NONE has no endpoints, for the host is the address; use DNS or STATIC",
    });
  spec.addresses?.forEach((address, index) => {
    if (!ipaddr.isValid(address) && !ipaddr.isValidCIDR(address))
      faults.push({
        path: ["addresses", index],
        message: `${JSON.stringify(address)} is no IP address and no block`,
      });
  });
  if (spec.resolution === "STATIC" && spec.endpoints === undefined && spec.workloadSelector === undefined)
    faults.push({ path: ["resolution"], message: "Resolution STATIC needs endpoints or a workloadSelector" });
  const portNames = new Set(spec.ports.map((port) => port.name));
  spec.endpoints?.forEach((endpoint, index) => {
    if (spec.resolution === "STATIC" && !ipaddr.isValid(endpoint.address))
      faults.push({
        path: ["endpoints", index, "address"],
        message: `Resolution STATIC needs IP addresses, and ${JSON.stringify(endpoint.address)} is not one; use resolution DNS for names`,
      });
    for (const name of Object.keys(endpoint.ports ?? {})) {
      if (!portNames.has(name))
        faults.push({
          path: ["endpoints", index, "ports", name],
          message: `No port of this ServiceEntry is named ${JSON.stringify(name)}`,
        });
    }
  });
  return faults;
}
