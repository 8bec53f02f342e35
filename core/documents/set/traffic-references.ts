// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import ipaddr from "ipaddr.js";
import type { Diagnostic } from "../../../kernel/diagnostic.ts";
import { suggest } from "../../../kernel/suggest.ts";
import { canonicalHost, hostAliases, hostCovers, isWildcard, resolveHost } from "../../traffic/host-name.ts";
import { type Labels, selects } from "../../traffic/labels.ts";
import { documentsOf, faultAt, type ParsedDocument } from "../document.ts";
import { type DeclaredService, declaredServices } from "./declared-services.ts";
import { faultsOfDelegates } from "./delegate-references.ts";
import type { DocumentSet } from "./document-set.ts";
import { unresolved } from "./no-effect.ts";
import { DESTINATION_RULE, type DestinationRuleSpec } from "../kinds/destination-rule.ts";
import { GATEWAY } from "../kinds/gateway.ts";
import { clientNamespaces } from "../kinds/export-to.ts";
import { HEALTH_CHECK, type HealthCheckSpec } from "../kinds/health-check.ts";
import { SERVICE_ENTRY, type ServiceEntrySpec } from "../kinds/service-entry.ts";
import { displayName } from "../kinds/kind.ts";
import { SERVICE } from "../kinds/kubernetes/service.ts";
import { VIRTUAL_SERVICE } from "../kinds/virtual-service.ts";
import {
  type HttpDestinationSpec,
  MESH_GATEWAY,
  type VirtualServiceSpec,
} from "../kinds/virtual-service-schema.ts";
import { WORKLOAD_ENTRY, type WorkloadEntrySpec } from "../kinds/workload-entry.ts";
import type { DocumentPath } from "../yaml/places.ts";

/** The documents that routing documents may refer to. */
interface Mesh {
  /** By canonical host. */
  readonly services: ReadonlyMap<string, DeclaredService>;
  readonly rules: readonly ParsedDocument[];
  /**
   * Whether all ServiceEntries and Services, or DestinationRules, could be read; otherwise missing ones are not reported.
   */
  readonly allServices: boolean;
  readonly allRules: boolean;
}

/** Checks references to hosts, ports, subsets and gateways in Istio's documents. */
export function faultsOfTraffic(set: DocumentSet): readonly Diagnostic[] {
  const mesh: Mesh = {
    services: declaredServices(set.documents),
    rules: documentsOf(set.documents, DESTINATION_RULE),
    allServices: set.readsAll(SERVICE_ENTRY.kind) && set.readsAll(SERVICE.kind),
    allRules: set.readsAll(DESTINATION_RULE.kind),
  };
  return [
    ...faultsOfWorkloads(set),
    ...mesh.rules.flatMap((document) => faultsOfDestinationRule(document, mesh)),
    ...documentsOf(set.documents, VIRTUAL_SERVICE).flatMap((document) => [
      ...faultsOfGateways(document, set),
      ...faultsOfRoutes(document, mesh),
      ...faultsOfDelegates(document, set),
    ]),
    ...faultsOfHealthChecks(documentsOf(set.documents, HEALTH_CHECK), mesh),
  ];
}

/** Each must check a known destination, and no other may check exactly the same one for the same namespaces. */
function faultsOfHealthChecks(documents: readonly ParsedDocument[], mesh: Mesh): readonly Diagnostic[] {
  const earlier = new Map<string, string>();
  return documents.flatMap((document) => {
    const spec = document.spec as HealthCheckSpec;
    const { host, subset, port, exportTo } = spec;
    const { name, namespace } = document.metadata;
    const service = resolveHost(mesh.services, host, namespace) ?? { host, namespace };
    const destination = [canonicalHost(service.host, service.namespace), subset, port?.number];
    let same: string | undefined;
    for (const client of clientNamespaces(exportTo, namespace)) {
      const key = JSON.stringify([...destination, client]);
      same ??= earlier.get(key);
      earlier.set(key, `${namespace}/${name}`);
    }
    const faults = faultsOfDestination(document, spec, ["spec"], mesh);
    if (same === undefined) return faults;
    const message = `The HealthCheck ${same} checks the same destination`;
    return [...faults, faultAt(document, "PURSER_DOC_DUPLICATE", ["spec", "host"], message)];
  });
}

/** A ServiceEntry with resolution STATIC selects IP addresses alone. */
function faultsOfWorkloads(set: DocumentSet): readonly Diagnostic[] {
  const named = documentsOf(set.documents, WORKLOAD_ENTRY).filter(
    ({ spec }) => !ipaddr.isValid((spec as WorkloadEntrySpec).address),
  );
  if (named.length === 0) return [];
  return documentsOf(set.documents, SERVICE_ENTRY).flatMap(({ metadata, spec }) => {
    const { resolution, workloadSelector } = spec as ServiceEntrySpec;
    if (resolution !== "STATIC" || workloadSelector === undefined) return [];
    return named
      .filter((workload) => isSelected(workload, metadata.namespace, workloadSelector.labels))
      .map((workload) => {
        const { address } = workload.spec as WorkloadEntrySpec;
        const message = `The ServiceEntry ${displayName(metadata)} selects this workload, and its resolution STATIC needs IP addresses: ${JSON.stringify(address)} is not one; use resolution DNS for names`;
        return faultAt(workload, "PURSER_REF_UNSUITABLE", ["spec", "address"], message);
      });
  });
}

function isSelected({ metadata, spec }: ParsedDocument, namespace: string, selector: Labels): boolean {
  const labels = { ...(spec as WorkloadEntrySpec).labels, ...metadata.labels };
  return metadata.namespace === namespace && selects(selector, labels);
}

function faultsOfDestinationRule(document: ParsedDocument, mesh: Mesh): readonly Diagnostic[] {
  const { host } = document.spec as DestinationRuleSpec;
  const known = isWildcard(host)
    ? [...mesh.services.keys()].some((service) => hostCovers(host, service))
    : resolveHost(mesh.services, host, document.metadata.namespace) !== undefined;
  return known ? [] : unknownHost(document, ["spec", "host"], host, mesh);
}

function faultsOfGateways(document: ParsedDocument, set: DocumentSet): readonly Diagnostic[] {
  const { namespace } = document.metadata;
  const { gateways = [] } = document.spec as VirtualServiceSpec;
  return gateways.flatMap((name, index) => {
    // As in Istio, a bare name is in the document's own namespace, never in the default one.
    const qualified = name.includes("/") ? name : `${namespace}/${name}`;
    if (name === MESH_GATEWAY || !set.complete || set.resolve(GATEWAY.kind, qualified, namespace)) return [];
    const suggestion = set.suggest(GATEWAY.kind, name, namespace);
    const message = `There is no Gateway ${JSON.stringify(name)}`;
    return [unresolved(document, ["spec", "gateways", index], message, suggestion)];
  });
}

function faultsOfRoutes(document: ParsedDocument, mesh: Mesh): readonly Diagnostic[] {
  const { http = [], tls = [], tcp = [] } = document.spec as VirtualServiceSpec;
  const connections = [...tls.entries(), ...tcp.entries()].flatMap(([routeIndex, { route }], at) =>
    route.flatMap(({ destination }, index) => {
      const kind = at < tls.length ? "tls" : "tcp";
      const path: DocumentPath = ["spec", kind, routeIndex, "route", index, "destination"];
      return faultsOfDestination(document, destination, path, mesh);
    }),
  );
  const requests = http.flatMap(({ route = [], mirror, mirrors = [] }, routeIndex) => {
    const path: DocumentPath = ["spec", "http", routeIndex];
    const named = (["route", "mirrors"] as const).flatMap((field) =>
      (field === "route" ? route : mirrors).flatMap(({ destination }, index) =>
        faultsOfDestination(document, destination, [...path, field, index, "destination"], mesh),
      ),
    );
    return mirror === undefined
      ? named
      : [...named, ...faultsOfDestination(document, mirror, [...path, "mirror"], mesh)];
  });
  return [...requests, ...connections];
}

function faultsOfDestination(
  document: ParsedDocument,
  { host, subset, port }: HttpDestinationSpec["destination"],
  path: DocumentPath,
  mesh: Mesh,
): readonly Diagnostic[] {
  const { namespace } = document.metadata;
  const service = resolveHost(mesh.services, host, namespace);
  if (service === undefined) return unknownHost(document, [...path, "host"], host, mesh);
  const faults: Diagnostic[] = [];
  const knowsPorts = mesh.allServices && !service.anyPort;
  if (port !== undefined && knowsPorts && !service.ports.has(port.number)) {
    const message = `${service.host} has no port ${port.number}, only ${[...service.ports.keys()].join(", ")}`;
    faults.push(faultAt(document, "PURSER_REF_UNSUITABLE", [...path, "port", "number"], message));
  }
  if (subset !== undefined && mesh.allRules) {
    const subsets = subsetsOf(service, mesh);
    if (!subsets.includes(subset)) {
      const message = `No DestinationRule gives ${service.host} a subset ${JSON.stringify(subset)}`;
      const suggestion = suggest(subset, subsets);
      faults.push(unresolved(document, [...path, "subset"], message, suggestion));
    }
  }
  return faults;
}

function subsetsOf(service: DeclaredService, { rules, services }: Mesh): readonly string[] {
  return rules.flatMap(({ metadata: { namespace }, spec }) => {
    const { host, subsets = [] } = spec as DestinationRuleSpec;
    const covers = isWildcard(host)
      ? hostCovers(host, canonicalHost(service.host, service.namespace))
      : resolveHost(services, host, namespace) === service;
    return covers ? subsets.map(({ name }) => name) : [];
  });
}

function unknownHost(
  document: ParsedDocument,
  path: DocumentPath,
  host: string,
  mesh: Mesh,
): readonly Diagnostic[] {
  if (!mesh.allServices) return [];
  const candidates = [...mesh.services.values()].flatMap((service) =>
    hostAliases(service.host, service.namespace, document.metadata.namespace),
  );
  const message = `No Service and no ServiceEntry has the host ${JSON.stringify(host)}`;
  return [unresolved(document, path, message, suggest(host, candidates))];
}
