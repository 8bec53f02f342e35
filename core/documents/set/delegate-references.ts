// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Diagnostic } from "../../../kernel/diagnostic.ts";
import { faultAt, type ParsedDocument } from "../document.ts";
import { VIRTUAL_SERVICE } from "../kinds/virtual-service.ts";
import { mergeRoutes } from "../kinds/virtual-service-delegate.ts";
import { sourceFieldsOf } from "../kinds/virtual-service-match.ts";
import {
  type HttpRouteSpec,
  MESH_GATEWAY,
  type VirtualServiceSpec,
} from "../kinds/virtual-service-schema.ts";
import type { DocumentPath } from "../yaml/places.ts";
import type { DocumentSet } from "./document-set.ts";

/** Checks the delegates of a VirtualService: that they exist, are delegates, and only narrow what they are handed. */
export function faultsOfDelegates(document: ParsedDocument, set: DocumentSet): readonly Diagnostic[] {
  const spec = document.spec as VirtualServiceSpec;
  return (spec.http ?? []).flatMap((route, index) => {
    if (route.delegate === undefined) return [];
    const path: DocumentPath = ["spec", "http", index, "delegate"];
    const { name, namespace = document.metadata.namespace } = route.delegate;
    const delegate = set.resolve(VIRTUAL_SERVICE.kind, `${namespace}/${name}`, namespace);
    if (delegate === undefined) {
      if (!set.complete) return [];
      const suggestion = set.suggest(VIRTUAL_SERVICE.kind, name, namespace);
      const message = `There is no VirtualService ${JSON.stringify(`${namespace}/${name}`)}`;
      return [faultAt(document, "PURSER_REF_UNKNOWN", [...path, "name"], message, { suggestion })];
    }
    if (!delegate.valid) return [];
    const message = delegateFault(spec, route, delegate);
    return message === undefined ? [] : [faultAt(document, "PURSER_REF_UNSUITABLE", path, message)];
  });
}

function delegateFault(
  root: VirtualServiceSpec,
  route: HttpRouteSpec,
  { metadata, spec }: ParsedDocument,
): string | undefined {
  const { hosts, http = [] } = spec as VirtualServiceSpec;
  if (hosts !== undefined)
    return `${metadata.name} has hosts, so that it is no delegate: leave its hosts out`;
  const gateways = root.gateways ?? [MESH_GATEWAY];
  for (const [index, leaf] of http.entries()) {
    if (mergeRoutes(route, leaf) === undefined)
      return `A match of http[${index}] of ${metadata.name} is no narrower than any match of this route: a delegate's exact and prefix must begin with the route's, and a regex cannot be narrowed`;
    const source = (leaf.match ?? []).flatMap(sourceFieldsOf)[0];
    if (source !== undefined && !gateways.includes(MESH_GATEWAY))
      return `http[${index}] of ${metadata.name} has a match with ${source}, which is about sidecars, and ${MESH_GATEWAY} is not among this VirtualService's gateways (${gateways.join(", ")})`;
    const unknown = (leaf.match ?? []).flatMap((match) => match.gateways ?? []);
    const other = unknown.find((name) => !gateways.includes(name));
    if (other !== undefined)
      return `http[${index}] of ${metadata.name} matches the gateway ${JSON.stringify(other)}, which is not among this VirtualService's gateways (${gateways.join(", ")})`;
  }
  return undefined;
}
