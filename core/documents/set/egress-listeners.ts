// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { canonicalHost, resolveHost, splitHost } from "../../traffic/host-name.ts";
import { Imports } from "../../traffic/imports.ts";
import { documentsOf, type ParsedDocument } from "../document.ts";
import { type EgressPort, egressPortOf, SIDECAR, type SidecarSpec } from "../kinds/sidecar.ts";
import { MESH_GATEWAY, type VirtualServiceSpec } from "../kinds/virtual-service-schema.ts";
import type { DocumentPath } from "../yaml/places.ts";
import { type DeclaredService, declaredServices } from "./declared-services.ts";

/** A listener that the sidecars of some workloads open for one port of services. */
export interface EgressListener extends EgressPort {
  readonly sidecar: ParsedDocument;
  /** The namespace of its workloads; undefined for a Sidecar of the root namespace, whose workloads are in any. */
  readonly client: string | undefined;
  /** The place of its item of `egress`. */
  readonly path: DocumentPath;
  readonly imports: Imports;
}

/** The listeners of all Sidecars, with what they may serve. */
export class EgressListeners {
  readonly all: readonly EgressListener[];
  readonly #documents: readonly ParsedDocument[];
  /** The services that proxies of a namespace see, by the namespace. */
  readonly #services = new Map<string | undefined, ReadonlyMap<string, DeclaredService>>();

  constructor(documents: readonly ParsedDocument[], rootNamespace: string) {
    this.#documents = documents;
    this.all = documentsOf(documents, SIDECAR).flatMap((sidecar) => {
      const { namespace } = sidecar.metadata;
      const client = namespace === rootNamespace ? undefined : namespace;
      const { egress = [] } = sidecar.spec as SidecarSpec;
      return egress.flatMap((item, index): readonly EgressListener[] => {
        const port = egressPortOf(item);
        const imports = new Imports(item.hosts, client ?? "*");
        const path: DocumentPath = ["spec", "egress", index];
        return port === undefined ? [] : [{ ...port, sidecar, client, path, imports }];
      });
    });
  }

  /** The imported services that have the listener's port, or may have it. */
  servicesOf({ port, client, imports }: EgressListener): readonly DeclaredService[] {
    return [...this.#seenBy(client).values()].filter(
      ({ canonicalHost: host, namespace, ports, anyPort }) =>
        (anyPort || ports.has(port)) && imports.hasService(splitHost(host, namespace).namespace, host),
    );
  }

  /** Whether a VirtualService has routes of the listener's kind, for its port and an imported host. */
  routes({ port, carried, imports, client }: EgressListener, { metadata, spec }: ParsedDocument): boolean {
    const { hosts = [], gateways = [MESH_GATEWAY], http, tls, tcp } = spec as VirtualServiceSpec;
    const written = { http, tls, tcp }[carried] ?? [];
    const { namespace } = metadata;
    const services = this.#seenBy(client);
    const canonical = (host: string) =>
      resolveHost(services, host, namespace)?.canonicalHost ?? canonicalHost(host, namespace);
    return (
      gateways.includes(MESH_GATEWAY) &&
      written.some(({ match = [{}] }) =>
        match.some((each) => (each.port ?? port) === port && each.gateways?.includes(MESH_GATEWAY) !== false),
      ) &&
      hosts.some((host) => imports.hasRoute(namespace, canonical(host)))
    );
  }

  #seenBy(client: string | undefined): ReadonlyMap<string, DeclaredService> {
    const known = this.#services.get(client) ?? declaredServices(this.#documents, client);
    this.#services.set(client, known);
    return known;
  }
}
