// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { MESH_GATEWAY } from "../../core/documents/kinds/virtual-service-schema.ts";

/** `NAMESPACE/NAME` of a Gateway that a VirtualService in `namespace` names; `mesh` stays as it is. */
export function qualifyGateway(name: string, namespace: string): string {
  return name === MESH_GATEWAY || name.includes("/") ? name : `${namespace}/${name}`;
}

/** A host of a Gateway's server, without the namespace that may stand before it. */
export function withoutNamespace(host: string): string {
  return host.slice(host.indexOf("/") + 1);
}
