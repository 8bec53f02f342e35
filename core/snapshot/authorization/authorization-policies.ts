// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { AccessPolicySpec } from "../../documents/kinds/access-policy.ts";
import type { AuthorizationPolicySpec } from "../../documents/kinds/authorization-policy-schema.ts";
import type { RuleSpec } from "../../documents/kinds/handler.ts";
import type { Metadata } from "../../documents/kinds/kind.ts";
import { rulesCondition } from "./rule-condition.ts";
import { edgeCondition, scopeCondition } from "./workload-scope.ts";

/** Settings of the mesh that AuthorizationPolicies depend on. */
export interface AuthorizationMesh {
  readonly rootNamespace: string;
  /** The mesh's trust domain and its other names; a policy's `cluster.local` stands for it too. */
  readonly trustDomains: readonly string[];
}

/** The policy of the decision engine that an AuthorizationPolicy is. */
export type TranslatedPolicy =
  | { readonly kind: "access"; readonly spec: AccessPolicySpec }
  | { readonly kind: "rule"; readonly spec: RuleSpec };

/** Istio's annotation of a policy whose decisions are counted and not enforced. */
export const DRY_RUN = "istio.io/dry-run";

/** The texts that Istio takes for true: those of Go's strconv.ParseBool. */
const TRUE: ReadonlySet<string | undefined> = new Set(["1", "t", "T", "TRUE", "true", "True"]);

/** Whether a policy's decisions are counted and not enforced. */
export function isDryRun(annotations: Metadata["annotations"]): boolean {
  return TRUE.has(annotations[DRY_RUN]);
}

/** The message of a refusal, in replies, decision logs and the reasons of metrics. */
const MISSING_PROVIDER = '"The policy asks a handler that is not declared"';

/**
 * Translates an AuthorizationPolicy; Istio's reference of the kind defines the meaning of each field.
 *
 * @param missingProvider Whether no Handler has the provider's name: the policy then refuses each request about which it
 *   would ask (fails closed), as Istio does.
 */
export function translateAuthorizationPolicy(
  { namespace, annotations }: Pick<Metadata, "namespace" | "annotations">,
  { action = "ALLOW", selector, targetRefs, rules = [], provider }: AuthorizationPolicySpec,
  { rootNamespace, trustDomains }: AuthorizationMesh,
  missingProvider = false,
): TranslatedPolicy {
  const match =
    targetRefs === undefined
      ? scopeCondition({
          namespace: namespace === rootNamespace ? undefined : namespace,
          labels: selector?.matchLabels ?? {},
        })
      : edgeCondition(targetRefs.map(({ name }) => name));
  const when = rulesCondition(rules, {
    namespace,
    trustDomains,
    ignoresHttpOfTcp: action === "DENY" || action === "CUSTOM",
  });
  const mode = isDryRun(annotations) ? { mode: "shadow" as const } : {};
  const matched = match === undefined ? {} : { match };
  if (action !== "CUSTOM") return { kind: "access", spec: { ...matched, action, when, ...mode } };
  if (missingProvider) {
    const status = { code: "PERMISSION_DENIED" as const, message: MISSING_PROVIDER };
    return { kind: "access", spec: { ...matched, action: "DENY", when, status, ...mode } };
  }
  const both = match === undefined ? when : `(${match}) and (${when})`;
  return { kind: "rule", spec: { match: both, ...askOf(provider?.name ?? ""), ...mode } };
}

/** The question that a handler of CUSTOM is asked: who does what. */
function askOf(handler: string): Pick<RuleSpec, "instances" | "actions"> {
  const name = "authorization";
  return {
    instances: [
      {
        name,
        template: "authorization",
        params: {
          subject: { user: "request.auth.principal ?? source.principal", address: "source.ip" },
          action: {
            namespace: "destination.namespace ?? destination.service.namespace",
            service: "destination.service.name",
            method: "request.method",
            path: "request.path",
            host: "request.host",
          },
        },
      },
    ],
    actions: [{ handler, instances: [name] }],
  };
}
