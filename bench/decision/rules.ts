// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/**
 * The policies of the decision benchmark, as data: each engine gets them in its own language. A policy
 * applies to one service. A request is allowed when any ALLOW policy of its service holds and no DENY policy
 * does.
 */
export interface PolicyRule {
  readonly name: string;
  readonly effect: "ALLOW" | "DENY";
  readonly service: string;
  /** All conditions must hold. */
  readonly conditions: readonly Condition[];
}

/** `not` negates a condition; an absent attribute equals none of the values. */
export type Condition = { readonly not?: true } & (
  | { readonly kind: "method" | "principal" | "namespace" | "tier"; readonly oneOf: readonly string[] }
  | { readonly kind: "path"; readonly prefix: string }
  | { readonly kind: "role"; readonly role: string }
);

/** The attributes that the conditions read. */
export interface DecisionRequest {
  readonly service: string;
  readonly method: string;
  readonly path: string;
  readonly principal: string;
  readonly namespace: string;
  readonly roles: readonly string[];
  readonly tier?: string;
}

export const POLICIES_A_SERVICE = 5;

export const serviceName = (index: number): string => `service-${index}`;
export const principalOf = (namespace: string, account: string): string =>
  `cluster.local/ns/${namespace}/sa/${account}`;

/** `count` policies for a fifth as many services, so that five apply to each request. */
export function policyRules(count: number): readonly PolicyRule[] {
  return Array.from({ length: count / POLICIES_A_SERVICE }, (_, index) => rulesOfService(index)).flat();
}

function rulesOfService(index: number): readonly PolicyRule[] {
  const service = serviceName(index);
  const callers = ["web", "cart", "mobile"].map((account) => principalOf("shop", `${account}-${index}`));
  const rule = (
    name: string,
    effect: PolicyRule["effect"],
    ...conditions: readonly Condition[]
  ): PolicyRule => ({
    name: `${service}-${name}`,
    effect,
    service,
    conditions,
  });
  return [
    rule(
      "no-deletes",
      "DENY",
      { kind: "method", oneOf: ["DELETE", "PATCH"] },
      { kind: "principal", oneOf: [principalOf("platform", "admin")], not: true },
    ),
    rule(
      "internal-paths",
      "DENY",
      { kind: "path", prefix: "/internal/" },
      { kind: "namespace", oneOf: ["platform"], not: true },
    ),
    rule("blocked-tiers", "DENY", { kind: "tier", oneOf: ["blocked", "expired"] }),
    rule(
      "readers",
      "ALLOW",
      { kind: "method", oneOf: ["GET", "HEAD"] },
      { kind: "path", prefix: `/api/v${(index % 3) + 1}/` },
    ),
    rule("editors", "ALLOW", { kind: "principal", oneOf: callers }, { kind: "role", role: "editor" }),
  ];
}
