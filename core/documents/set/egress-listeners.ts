// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { canonicalHost, resolveHost } from "../../traffic/host-name.ts";
import { Imports } from "../../traffic/imports.ts";
import { documentsOf, type ParsedDocument } from "../document.ts";
import { type EgressPort, egressPortOf, SIDECAR, type SidecarSpec } from "../kinds/sidecar.ts";
import { MESH_GATEWAY, type VirtualServiceSpec } from "../kinds/virtual-service-schema.ts";
import type { DocumentPath } from "../yaml/places.ts";
import { type DeclaredPort, declaredPorts } from "./declared-ports.ts";

/** A listener that the sidecars of some workloads open for one port of services. */
export interface EgressListener extends EgressPort {
  readonly sidecar: ParsedDocument;
  /** The place of its item of `egress`. */
  readonly path: DocumentPath;
  readonly imports: Imports;
}

/** The listeners of all Sidecars, with what they may serve. */
export class EgressListeners {
  readonly all: readonly EgressListener[];
  readonly #ports: readonly DeclaredPort[];
  /** Canonical hosts, by themselves. */
  readonly #hosts: ReadonlyMap<string, string>;

  constructor(documents: readonly ParsedDocument[]) {
    this.#ports = declaredPorts(documents);
    this.#hosts = new Map(this.#ports.map(({ host }) => [host, host]));
    this.all = documentsOf(documents, SIDECAR).flatMap((sidecar) =>
      ((sidecar.spec as SidecarSpec).egress ?? []).flatMap((item, index): readonly EgressListener[] => {
        const port = egressPortOf(item);
        const imports = new Imports(item.hosts, sidecar.metadata.namespace);
        return port === undefined ? [] : [{ ...port, sidecar, path: ["spec", "egress", index], imports }];
      }),
    );
  }

  /** The imported ports of services with the listener's number, one for each host. */
  portsFor({ port, sidecar, imports }: EgressListener): readonly DeclaredPort[] {
    const { namespace: client } = sidecar.metadata;
    const imported = new Map<string, DeclaredPort>();
    for (const declared of this.#ports) {
      const { number = port, namespace, host } = declared;
      const has = number === port && declared.isVisibleTo(client) && imports.hasService(namespace, host);
      if (has && !imported.has(host)) imported.set(host, declared);
    }
    return [...imported.values()];
  }

  /** Whether a VirtualService has routes of the listener's kind, for its port and an imported host. */
  routes({ port, carried, imports }: EgressListener, { metadata, spec }: ParsedDocument): boolean {
    const { hosts = [], gateways = [MESH_GATEWAY], http, tls, tcp } = spec as VirtualServiceSpec;
    const written = { http, tls, tcp }[carried] ?? [];
    const { namespace } = metadata;
    return (
      gateways.includes(MESH_GATEWAY) &&
      written.some(({ match = [{}] }) =>
        match.some((each) => (each.port ?? port) === port && each.gateways?.includes(MESH_GATEWAY) !== false),
      ) &&
      hosts.some((host) => imports.hasRoute(namespace, this.#canonical(host, namespace)))
    );
  }

  #canonical(host: string, namespace: string): string {
    return resolveHost(this.#hosts, host, namespace) ?? canonicalHost(host, namespace);
  }
}
