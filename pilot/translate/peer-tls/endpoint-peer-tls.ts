// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { ClientTlsSpec } from "../../../core/documents/kinds/destination-rule-tls.ts";
import { workloadIdOf } from "../../../core/identity/spiffe-id.ts";
import type { Endpoint } from "../../../core/traffic/resources/endpoint.ts";
import type { UpstreamTls } from "../../../core/traffic/resources/tls.ts";
import { isSidecar, type Registry, type Service } from "../../registry/registry-static.ts";
import type { PeerTlsModes } from "./peer-tls-modes.ts";

/** Decides to which endpoints a proxy speaks mutual TLS, and which identities it expects there. */
export class EndpointPeerTls {
  readonly #hasCertificate: boolean;
  readonly #modes: PeerTlsModes;
  readonly #registry: Registry;
  readonly #trustDomains: readonly [string, ...string[]];

  /** @param hasCertificate Whether the calling proxy has a certificate to show. */
  constructor(
    hasCertificate: boolean,
    modes: PeerTlsModes,
    registry: Registry,
    trustDomains: readonly [string, ...string[]],
  ) {
    this.#hasCertificate = hasCertificate;
    this.#modes = modes;
    this.#registry = registry;
    this.#trustDomains = trustDomains;
  }

  /**
   * The endpoints, with TLS for those that are called by mutual TLS: all of them with ISTIO_MUTUAL, and without any TLS
   * in a DestinationRule the sidecars whose PeerAuthentication lets them accept it (Istio's auto mTLS).
   */
  secured(
    endpoints: readonly Endpoint[],
    service: Service,
    tls: ClientTlsSpec | undefined,
  ): readonly Endpoint[] {
    if (tls !== undefined && tls.mode !== "ISTIO_MUTUAL") return endpoints;
    const isForced = tls !== undefined;
    if (!isForced && !this.#hasCertificate) return endpoints;
    return endpoints.map((endpoint) =>
      isForced || this.#accepts(endpoint)
        ? { ...endpoint, tls: this.#tlsTo(endpoint, service, tls) }
        : endpoint,
    );
  }

  #accepts(endpoint: Endpoint): boolean {
    if (!isSidecar(endpoint)) return false;
    const workload = { namespace: this.#registry.namespaceOf(endpoint), labels: endpoint.labels };
    return this.#modes.ofClients(workload, endpoint.port) !== "disable";
  }

  #tlsTo(endpoint: Endpoint, service: Service, tls: ClientTlsSpec | undefined): UpstreamTls {
    return {
      credential: {},
      serverName: tls?.sni ?? service.identity.host,
      subjectAltNames: tls?.subjectAltNames ?? this.#identitiesOf(endpoint, service),
      skipsVerification: false,
      peers: { trustDomains: this.#trustDomains },
    };
  }

  /** Empty when neither the service's identities nor the endpoint's service account are known. */
  #identitiesOf(endpoint: Endpoint, { subjectAltNames }: Service): readonly string[] {
    const { serviceAccount } = endpoint;
    if (serviceAccount === undefined) return subjectAltNames;
    const namespace = this.#registry.namespaceOf(endpoint);
    const ids = this.#trustDomains.map((domain) => workloadIdOf(domain, { namespace, name: serviceAccount }));
    return [...subjectAltNames, ...ids];
  }
}
