// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { faultsOfAuthorization } from "./authorization-policy-faults.ts";
import { AuthorizationPolicySpec } from "./authorization-policy-schema.ts";
import type { KindDefinition } from "./kind.ts";

/** Istio's kind, with Istio's meaning; core/snapshot/authorization/ makes policies of it. */
export const AUTHORIZATION_POLICY = {
  kind: "AuthorizationPolicy",
  apiVersions: ["security.istio.io/v1", "security.istio.io/v1beta1"],
  description: "Decides whether a request to a workload is allowed: Istio's kind.",
  spec: AuthorizationPolicySpec,
  check: faultsOfAuthorization,
} as const satisfies KindDefinition;
