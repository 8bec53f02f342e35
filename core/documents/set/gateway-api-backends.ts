// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Diagnostic } from "../../../kernel/diagnostic.ts";
import { canonicalHost } from "../../traffic/host-name.ts";
import { documentsOf, type ParsedDocument } from "../document.ts";
import type { RouteKind } from "../kinds/gateway-api/attachment.ts";
import { isService } from "../kinds/gateway-api/backend-faults.ts";
import { type BackendTargetSpec, GATEWAY_API_GROUP } from "../kinds/gateway-api/fields.ts";
import type { HttpRuleSpec } from "../kinds/gateway-api/http-route.ts";
import { type Grants, mayRefer } from "../kinds/gateway-api/reference-grant.ts";
import { SERVICE, type ServiceDocument } from "../kinds/kubernetes/service.ts";
import { SERVICE_ENTRY, type ServiceEntrySpec } from "../kinds/service-entry.ts";
import type { DocumentPath } from "../yaml/places.ts";
import type { DocumentSet } from "./document-set.ts";
import { unresolved } from "./no-effect.ts";

/** Warns of destinations and mirrors that are not permitted, or that no document declares. */
export function faultsOfBackendRefs(
  document: ParsedDocument,
  kind: RouteKind,
  set: DocumentSet,
  grants: Grants,
): readonly Diagnostic[] {
  const { rules = [] } = document.spec as {
    readonly rules?: readonly Pick<HttpRuleSpec, "backendRefs" | "filters">[];
  };
  const ports = portsOf(set);
  return rules.flatMap(({ backendRefs = [], filters = [] }, ruleIndex) => {
    const at: DocumentPath = ["spec", "rules", ruleIndex];
    const placed: readonly (readonly [BackendTargetSpec, DocumentPath])[] = [
      ...backendRefs.map((ref, index) => [ref, [...at, "backendRefs", index]] as const),
      ...filters.flatMap(({ requestMirror }, index) =>
        requestMirror === undefined
          ? []
          : [[requestMirror.backendRef, [...at, "filters", index, "requestMirror", "backendRef"]] as const],
      ),
    ];
    return placed.flatMap(([ref, path]) => faultOf(ref, path, document, kind, ports, set.complete, grants));
  });
}

function faultOf(
  ref: BackendTargetSpec,
  path: DocumentPath,
  document: ParsedDocument,
  kind: RouteKind,
  ports: ReadonlyMap<string, ReadonlySet<number>>,
  complete: boolean,
  grants: Grants,
): readonly Diagnostic[] {
  const { namespace: own } = document.metadata;
  const { name, namespace = own, port = 0 } = ref;
  if (!isService(ref))
    return [
      unresolved(
        document,
        [...path, "kind"],
        `Requests go to Services alone, not to a ${ref.kind ?? "Service"} of ${JSON.stringify(ref.group ?? "")}`,
      ),
    ];
  const from = { group: GATEWAY_API_GROUP, kind, namespace: own };
  if (!mayRefer(from, { group: "", kind: "Service", namespace, name }, grants))
    return [
      unresolved(
        document,
        [...path, "namespace"],
        `No ReferenceGrant in ${namespace} permits the Service ${name} to ${kind}s of ${own}: its share of requests is refused`,
      ),
    ];
  if (!complete) return [];
  const known = ports.get(canonicalHost(name, namespace));
  if (known === undefined) {
    const message = `No Service and no ServiceEntry has the host ${JSON.stringify(canonicalHost(name, namespace))}`;
    return [unresolved(document, [...path, "name"], message)];
  }
  if (known.has(port)) return [];
  const message = `${name} has no port ${port}, only ${[...known].join(", ")}`;
  return [unresolved(document, [...path, "port"], message)];
}

/** The ports of each service, by canonical host. */
function portsOf({ documents }: DocumentSet): ReadonlyMap<string, ReadonlySet<number>> {
  const ports = new Map<string, Set<number>>();
  const add = (host: string, numbers: readonly number[]): void => {
    const known = ports.get(host) ?? new Set();
    for (const number of numbers) known.add(number);
    ports.set(host, known);
  };
  for (const { metadata, spec } of documentsOf(documents, SERVICE))
    add(
      canonicalHost(metadata.name, metadata.namespace),
      ((spec as ServiceDocument).spec.ports ?? []).map(({ port }) => port),
    );
  for (const { metadata, spec } of documentsOf(documents, SERVICE_ENTRY)) {
    const { hosts, ports: declared } = spec as ServiceEntrySpec;
    for (const host of hosts)
      add(
        canonicalHost(host, metadata.namespace),
        declared.map(({ number }) => number),
      );
  }
  return ports;
}
