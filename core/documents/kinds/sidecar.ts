// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import ipaddr from "ipaddr.js";
import Type, { type Static } from "typebox";
import type { SpecFault } from "../../../kernel/diagnostic.ts";
import { FORM_KEYWORD } from "../schema/form.ts";
import { Choice, Closed, REFUSED_KEYWORD } from "./fields.ts";
import type { KindDefinition } from "./kind.ts";
import { type Carried, carriedBy, PortProtocol } from "./port-protocols.ts";
import { LABEL, PortNumber, WILDCARD_HOST, WorkloadSelector } from "./traffic-fields.ts";

/** The entry of `hosts` that imports nothing. */
const NOTHING = "~/*";

/** The address of a listener that names none: only the sidecar's own host reaches it. */
export const LOOPBACK = "127.0.0.1";

const Egress = Closed({
  port: Type.Optional(
    Closed(
      {
        number: PortNumber("The services' port, and that of the item's listener."),
        protocol: PortProtocol("which need a listener of their own"),
        name: Type.Optional(Type.String({ description: "The port's name, for information." })),
      },
      {
        description:
          "The item is about this port of the services alone; default: every port that no other item is about.",
      },
    ),
  ),
  captureMode: Type.Optional(
    Choice(
      ["DEFAULT", "IPTABLES", "NONE"],
      "NONE: an item with a port opens a listener on that port, which applications call in the services' place. " +
        "DEFAULT and IPTABLES have no effect, with a warning: no traffic is captured.",
    ),
  ),
  bind: Type.Optional(
    Type.String({
      maxLength: 255,
      description:
        "The IP address of the item's listener; default 127.0.0.1. It implies the captureMode NONE, and needs a port.",
    }),
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
});

const Ingress = Closed(
  {
    port: Closed(
      {
        number: PortNumber("The port."),
        protocol: PortProtocol("to the application as they come"),
        name: Type.Optional(Type.String({ description: "The port's name, for information." })),
      },
      { description: "The port that the sidecar listens on for its workload." },
    ),
    bind: Type.Optional(
      Type.String({
        pattern: "^[0-9A-Fa-f:.]+$",
        maxLength: 45,
        description: "The IP address that the sidecar listens on; default the one of `--host`.",
      }),
    ),
    captureMode: Type.Optional(
      Choice(["DEFAULT", "NONE"], "Both are the same: no traffic is captured, and callers name the port."),
    ),
    defaultEndpoint: Type.String({
      pattern: "^(127\\.0\\.0\\.1|\\[::1\\]):[1-9][0-9]{0,4}$",
      description: "The application's address: `127.0.0.1:PORT` or `[::1]:PORT`.",
      [FORM_KEYWORD]: "127.0.0.1:PORT or [::1]:PORT",
    }),
  },
  {
    [REFUSED_KEYWORD]: {
      tls: "a sidecar's inbound ports have no certificates of their own; write a Gateway",
      connectionPool: "write limits.maxConnections in the MeshConfig",
    },
  },
);

const SidecarSpec = Closed(
  {
    workloadSelector: Type.Optional(
      WorkloadSelector("The workloads of the namespace that this Sidecar is for; all of them when absent."),
    ),
    ingress: Type.Optional(
      Type.Array(Ingress, {
        minItems: 1,
        maxItems: 100,
        description:
          "The ports on which the sidecars take calls for their workload, in place of the flags --inbound-port and --app.",
      }),
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
function checkSidecar({ ingress = [], egress = [] }: SidecarSpec): readonly SpecFault[] {
  return [
    ...ingress.flatMap(ingressFaults),
    ...egressFaults(egress),
    ...egress.flatMap((item, index) => listenerFaults(item, index, ingress)),
  ];
}

type EgressSpec = Static<typeof Egress>;

/** The listener that an item of `egress` opens. */
export interface EgressPort {
  /** An IP address. */
  readonly host: string;
  readonly port: number;
  readonly carried: Carried;
}

/** Undefined for an item that imports services alone. */
export function egressPortOf({ port, bind, captureMode }: EgressSpec): EgressPort | undefined {
  if (port === undefined || (bind === undefined && captureMode !== "NONE")) return undefined;
  return { host: bind ?? LOOPBACK, port: port.number, carried: carriedBy(port.protocol) };
}

type IngressSpec = Static<typeof Ingress>;

function ingressFaults(
  { bind, port, defaultEndpoint }: IngressSpec,
  index: number,
  all: readonly IngressSpec[],
): readonly SpecFault[] {
  const path = ["ingress", index];
  const faults: SpecFault[] = [];
  if (bind !== undefined && !isAddress(bind))
    faults.push({ path: [...path, "bind"], message: `${JSON.stringify(bind)} is no IP address` });
  if (all.findIndex((other) => other.port.number === port.number) < index)
    faults.push({ path: [...path, "port", "number"], message: `Port ${port.number} is listed twice` });
  const appPort = portOf(defaultEndpoint);
  const other = all.find((each) => portOf(each.defaultEndpoint) === appPort);
  if (other !== undefined && other.defaultEndpoint !== defaultEndpoint)
    faults.push({
      path: [...path, "defaultEndpoint"],
      message: `${other.defaultEndpoint} has the same port, and the applications of a workload differ in their ports`,
    });
  if (appPort > 65_535)
    faults.push({ path: [...path, "defaultEndpoint"], message: `There is no port ${appPort}` });
  if (appPort === port.number && bind === undefined)
    faults.push({
      path: [...path, "defaultEndpoint"],
      message:
        "The sidecar would call itself: the application needs another port, or the sidecar an address in bind",
    });
  return faults;
}

/** The port at the end of `127.0.0.1:8080`. */
function portOf(address: string): number {
  return Number(address.slice(address.lastIndexOf(":") + 1));
}

function egressFaults(egress: NonNullable<SidecarSpec["egress"]>): readonly SpecFault[] {
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

function listenerFaults(
  item: EgressSpec,
  index: number,
  ingress: readonly IngressSpec[],
): readonly SpecFault[] {
  const { bind, port, captureMode } = item;
  const at = (field: "bind" | "port", message: string): readonly SpecFault[] => [
    { path: ["egress", index, field], message },
  ];
  if (bind?.startsWith("unix:") === true)
    return at("bind", "A sidecar listens on no Unix domain socket: write an IP address, such as 127.0.0.1");
  if (bind !== undefined && !isAddress(bind)) return at("bind", `${JSON.stringify(bind)} is no IP address`);
  if (bind !== undefined && port === undefined)
    return at("bind", "A listener needs a port: write port beside bind, or leave bind out");
  if (bind !== undefined && captureMode === "IPTABLES")
    return at("bind", "No traffic is captured: write the captureMode NONE, or leave bind out");
  const listener = egressPortOf(item);
  const other = ingress.find((each) => listener !== undefined && overlap(listener, each));
  if (other === undefined) return [];
  const where = other.bind === undefined ? "; where their addresses differ, write bind in both" : "";
  return at("port", `The ingress of this Sidecar takes port ${other.port.number}${where}`);
}

/** Whether the two cannot listen at the same time. The address of an ingress without one is not known here. */
function overlap({ host, port }: EgressPort, ingress: IngressSpec): boolean {
  if (port !== ingress.port.number) return false;
  const { bind } = ingress;
  return bind === undefined || bind === host || isEveryAddress(bind) || isEveryAddress(host);
}

function isEveryAddress(address: string): boolean {
  return isAddress(address) && ipaddr.parse(address).range() === "unspecified";
}

/** An IPv4 address has four parts: `127.1` and `1` have other meanings for other programs. */
function isAddress(text: string): boolean {
  return ipaddr.IPv4.isValidFourPartDecimal(text) || ipaddr.IPv6.isValid(text);
}
