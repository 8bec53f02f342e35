// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { ACCESS_POLICY } from "./kinds/access-policy.ts";
import { AUTHORIZATION_POLICY } from "./kinds/authorization-policy.ts";
import { ATTRIBUTE_MANIFEST } from "./kinds/attribute-manifest.ts";
import { DESTINATION_RULE } from "./kinds/destination-rule.ts";
import { EMPTY_SET } from "./kinds/empty-set.ts";
import { GATEWAY } from "./kinds/gateway.ts";
import { HANDLER, RULE } from "./kinds/handler.ts";
import { HEALTH_CHECK } from "./kinds/health-check.ts";
import type { KindDefinition } from "./kinds/kind.ts";
import { MESH_CONFIG } from "./kinds/mesh-config.ts";
import { OVERLOAD } from "./kinds/overload.ts";
import { PEER_AUTHENTICATION } from "./kinds/peer-authentication.ts";
import { POLICY_TEST } from "./kinds/policy-test.ts";
import { QUOTA_POLICY } from "./kinds/quota-policy.ts";
import { REQUEST_AUTHENTICATION } from "./kinds/request-authentication.ts";
import { SERVICE_ENTRY } from "./kinds/service-entry.ts";
import { SIDECAR } from "./kinds/sidecar.ts";
import { LOG_ENTRY, METRIC, TRACE_SPAN } from "./kinds/telemetry.ts";
import { VIRTUAL_SERVICE } from "./kinds/virtual-service.ts";
import { WORKLOAD_ENTRY } from "./kinds/workload-entry.ts";

/** The apiVersion of Purser's own kinds. */
export const PURSER_API_VERSION = "purser.dev/v1";

/** Every kind of document, in the order of the documentation. */
export const KINDS: readonly KindDefinition[] = [
  ACCESS_POLICY,
  QUOTA_POLICY,
  METRIC,
  LOG_ENTRY,
  TRACE_SPAN,
  HANDLER,
  RULE,
  ATTRIBUTE_MANIFEST,
  MESH_CONFIG,
  POLICY_TEST,
  EMPTY_SET,
  HEALTH_CHECK,
  SERVICE_ENTRY,
  WORKLOAD_ENTRY,
  VIRTUAL_SERVICE,
  DESTINATION_RULE,
  SIDECAR,
  GATEWAY,
  OVERLOAD,
  AUTHORIZATION_POLICY,
  PEER_AUTHENTICATION,
  REQUEST_AUTHENTICATION,
];

/** Istio's kinds that are refused, each with the reason and what to write instead, as the end of a sentence. */
export const REFUSED_KINDS: ReadonlyMap<string, string> = new Map([
  ["WorkloadGroup", "workloads do not register themselves; write a WorkloadEntry for each"],
]);

const BY_NAME: ReadonlyMap<string, KindDefinition> = new Map(
  KINDS.map((definition) => [definition.kind, definition]),
);

export function findKind(kind: string): KindDefinition | undefined {
  return BY_NAME.get(kind);
}
