// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { preparsePolicySet, statefulIsAuthorized } from "@cedar-policy/cedar-wasm/nodejs";
import type { DecisionEngine } from "./engine.ts";
import type { Condition, DecisionRequest, PolicyRule } from "./rules.ts";

type Call = Parameters<typeof statefulIsAuthorized>[0];

/**
 * Cedar by its fastest API: the policies are parsed once and stay in the WebAssembly module. Without a
 * schema, which would only add checks.
 */
export const CEDAR: DecisionEngine = {
  name: "cedar",
  async prepare(rules) {
    const preparsedPolicySetId = `rules-${rules.length}`;
    const staticPolicies = Object.fromEntries(rules.map((rule) => [rule.name, policyOf(rule)]));
    const parsed = preparsePolicySet(preparsedPolicySetId, { staticPolicies });
    if (parsed.type === "failure") throw new Error(parsed.errors.map(({ message }) => message).join("\n"));
    return {
      request: (request) => callOf(request, preparsedPolicySetId),
      allows(call) {
        const answer = statefulIsAuthorized(call as Call);
        if (answer.type === "failure")
          throw new Error(answer.errors.map(({ message }) => message).join("\n"));
        return answer.response.decision === "allow";
      },
    };
  },
};

function policyOf({ effect, service, conditions }: PolicyRule): string {
  const clauses = conditions.map(
    (condition) => `${condition.not ? "unless" : "when"} { ${clauseOf(condition)} }`,
  );
  const head = `${effect === "ALLOW" ? "permit" : "forbid"}(principal, action, resource == Service::"${service}")`;
  return `${head} ${clauses.join(" ")};`;
}

function clauseOf(condition: Condition): string {
  switch (condition.kind) {
    case "path":
      return `context.path like "${condition.prefix}*"`;
    case "role":
      return `context.roles.contains("${condition.role}")`;
    case "method":
      return `action in [${condition.oneOf.map((name) => `Action::"${name}"`).join(", ")}]`;
    case "principal":
      return `principal in [${condition.oneOf.map((name) => `Workload::"${name}"`).join(", ")}]`;
    case "namespace":
      return `${JSON.stringify(condition.oneOf)}.contains(context.namespace)`;
    case "tier":
      return `context has tier && ${JSON.stringify(condition.oneOf)}.contains(context.tier)`;
  }
}

function callOf(request: DecisionRequest, preparsedPolicySetId: string): Call {
  const { service, method, path, principal, namespace, roles, tier } = request;
  return {
    principal: { type: "Workload", id: principal },
    action: { type: "Action", id: method },
    resource: { type: "Service", id: service },
    context: { path, namespace, roles: [...roles], ...(tier === undefined ? {} : { tier }) },
    preparsedPolicySetId,
    entities: [],
  };
}
