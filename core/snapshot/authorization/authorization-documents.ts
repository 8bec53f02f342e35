// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { documentsOf, type ParsedDocument } from "../../documents/document.ts";
import type { DocumentSet } from "../../documents/set/document-set.ts";
import { ACCESS_POLICY } from "../../documents/kinds/access-policy.ts";
import { AUTHORIZATION_POLICY } from "../../documents/kinds/authorization-policy.ts";
import type { AuthorizationPolicySpec } from "../../documents/kinds/authorization-policy-schema.ts";
import { HANDLER, RULE } from "../../documents/kinds/handler.ts";
import {
  DEFAULT_ROOT_NAMESPACE,
  DEFAULT_TRUST_DOMAIN,
  type MeshConfigSpec,
  trustDomainsOf,
} from "../../documents/kinds/mesh-config.ts";
import type { Places } from "../../documents/yaml/places.ts";
import { translateAuthorizationPolicy } from "./authorization-policies.ts";

/**
 * The AuthorizationPolicies of a set as AccessPolicies and Rules with the same names and locations. A fault in one of their
 * expressions is at the policy's spec.
 */
export function authorizationDocuments(
  set: DocumentSet,
  meshConfig: MeshConfigSpec | undefined,
): readonly ParsedDocument[] {
  const mesh = {
    rootNamespace: meshConfig?.rootNamespace ?? DEFAULT_ROOT_NAMESPACE,
    // Istio's documents are written for the trust domain cluster.local, whatever the mesh's own is.
    trustDomains: [...new Set([...trustDomainsOf(meshConfig), DEFAULT_TRUST_DOMAIN])],
  };
  return documentsOf(set.documents, AUTHORIZATION_POLICY).map((document) => {
    const written = document.spec as AuthorizationPolicySpec;
    const provider = written.provider?.name;
    const missing =
      provider !== undefined &&
      set.resolve(HANDLER.kind, provider, document.metadata.namespace) === undefined;
    const { kind, spec } = translateAuthorizationPolicy(document.metadata, written, mesh, missing);
    const definition = kind === "access" ? ACCESS_POLICY : RULE;
    return { ...document, definition, spec, places: atSpec(document.places) };
  });
}

/** Every part of a translation is where the policy's spec is. */
function atSpec(places: Places): Places {
  const place = () => places.value(["spec"]);
  return { file: places.file, value: place, key: place, within: place, endWithin: place };
}
