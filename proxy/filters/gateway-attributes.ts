// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { AttributeBag } from "../../core/attributes/bag.ts";
import { type AttributeGroup, present } from "../../core/attributes/request-group.ts";

/**
 * The attributes by which only the policies of the edge itself decide: it passes the request on to a sidecar, whose workload
 * and policies are not the edge's. Undefined for a proxy that is no edge.
 */
export function gatewayAttributes(attributes: AttributeBag): AttributeBag | undefined {
  const context = attributes["context"] as AttributeGroup;
  const gateway = context["gateway"] as AttributeGroup | undefined;
  if (gateway === undefined) return undefined;
  const { service } = attributes["destination"] as AttributeGroup;
  return {
    ...attributes,
    destination: present({ service }),
    context: { ...context, gateway: { ...gateway, only: true } },
  };
}
