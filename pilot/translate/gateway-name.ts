// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { MESH_GATEWAY } from "../../core/documents/kinds/virtual-service-schema.ts";

/** `NAMESPACE/NAME` of a Gateway that a VirtualService in `namespace` names; `mesh` stays as it is. */
export function qualifyGateway(name: string, namespace: string): string {
  return name === MESH_GATEWAY || name.includes("/") ? name : `${namespace}/${name}`;
}
