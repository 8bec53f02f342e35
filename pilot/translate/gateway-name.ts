// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { MESH_GATEWAY } from "../../core/documents/kinds/virtual-service-schema.ts";

/** `NAMESPACE/NAME` for a gateway that a VirtualService of `namespace` names; `mesh` stands for itself. */
export function qualifyGateway(name: string, namespace: string): string {
  return name === MESH_GATEWAY || name.includes("/") ? name : `${namespace}/${name}`;
}
