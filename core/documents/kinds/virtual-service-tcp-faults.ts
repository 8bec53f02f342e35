// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { SpecFault } from "../../../kernel/diagnostic.ts";
import { messageOf } from "../../../kernel/errors.ts";
import { parseBlock } from "../../../kernel/matching/ip-blocks.ts";
import { suggest } from "../../../kernel/suggest.ts";
import { hostCovers } from "../../traffic/host-name.ts";
import { gatewayFaults, sourceFaults, weightFaults } from "./virtual-service-route-faults.ts";
import { MESH_GATEWAY, type VirtualServiceSpec } from "./virtual-service-schema.ts";
import type { ConnectionMatchSpec } from "./virtual-service-tcp.ts";

type Path = readonly (string | number)[];

/** Checks of the routes of connections. */
export function tcpFaults(spec: VirtualServiceSpec): readonly SpecFault[] {
  const { hosts, tls = [], tcp = [] } = spec;
  const kinds = (["tls", "tcp"] as const).filter((kind) => spec[kind] !== undefined);
  if (kinds.length === 0) return [];
  if (hosts === undefined)
    return kinds.map((kind) => ({ path: [kind], message: `A delegate, which has no hosts, has no ${kind}` }));
  return [
    ...tls.flatMap((route, index) => [
      ...weightFaults(route, ["tls", index]),
      ...route.match.flatMap((match, at) => [
        ...sniFaults(match.sniHosts, hosts, ["tls", index, "match", at]),
        ...matchFaults(match, spec, ["tls", index, "match", at]),
      ]),
    ]),
    ...tcp.flatMap((route, index) => [
      ...weightFaults(route, ["tcp", index]),
      ...(route.match ?? []).flatMap((match, at) => matchFaults(match, spec, ["tcp", index, "match", at])),
    ]),
  ];
}

/** Istio's rule: a server name that no host of the VirtualService covers would attach the route to other hosts. */
function sniFaults(sniHosts: readonly string[], hosts: readonly string[], path: Path): readonly SpecFault[] {
  return sniHosts.flatMap((name, index) => {
    if (hosts.some((host) => hostCovers(host, name))) return [];
    const suggestion = suggest(name, hosts);
    return [
      {
        path: [...path, "sniHosts", index],
        message: `${JSON.stringify(name)} is not covered by this VirtualService's hosts (${hosts.join(", ")})`,
        ...(suggestion === undefined ? {} : { suggestion }),
      },
    ];
  });
}

function matchFaults(match: ConnectionMatchSpec, spec: VirtualServiceSpec, path: Path): readonly SpecFault[] {
  return [
    ...gatewayFaults(match, spec.gateways ?? [MESH_GATEWAY], path),
    ...sourceFaults(match, spec.gateways, path),
    ...subnetFaults(match, path),
  ];
}

function subnetFaults({ destinationSubnets = [] }: ConnectionMatchSpec, path: Path): readonly SpecFault[] {
  return destinationSubnets.flatMap((subnet, index) => {
    try {
      parseBlock(subnet);
      return [];
    } catch (error) {
      const message = `${JSON.stringify(subnet)} ${messageOf(error)}`;
      return [{ path: [...path, "destinationSubnets", index], message }];
    }
  });
}
