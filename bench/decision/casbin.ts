// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { newEnforcer, newModelFromString } from "casbin";
import type { DecisionEngine } from "./engine.ts";
import type { Condition, DecisionRequest, PolicyRule } from "./rules.ts";

/** The cheapest test comes first: the matcher stops at the first test that fails (short-circuit). */
const MODEL = `
[request_definition]
r = service, method, path, principal, namespace, roles, tier
[policy_definition]
p = service, method, path, principal, namespace, role, tier, eft
[policy_effect]
e = some(where (p.eft == allow)) && !some(where (p.eft == deny))
[matchers]
m = r.service == p.service && isIn(r.method, p.method) && begins(r.path, p.path) && isIn(r.principal, p.principal) && isIn(r.namespace, p.namespace) && has(r.roles, p.role) && isIn(r.tier, p.tier)
`;

export const CASBIN: DecisionEngine = {
  name: "casbin",
  async prepare(rules) {
    const enforcer = await newEnforcer(newModelFromString(MODEL));
    await enforcer.addFunction("isIn", isIn);
    await enforcer.addFunction("begins", begins);
    await enforcer.addFunction("has", has);
    await enforcer.addPolicies(rules.map(lineOf));
    return {
      request: ({ service, method, path, principal, namespace, roles, tier }: DecisionRequest) => [
        service,
        method,
        path,
        principal,
        namespace,
        roles,
        tier ?? "",
      ],
      allows: (values) => enforcer.enforceSync(...(values as readonly unknown[])),
    };
  },
};

/** A policy as a line of text for Casbin: `*` matches any value, `!` negates, `|` separates values. */
function lineOf({ service, effect, conditions }: PolicyRule): string[] {
  const columns = ["method", "path", "principal", "namespace", "role", "tier"] as const;
  const cells = columns.map((column) => {
    const condition = conditions.find(({ kind }) => kind === column);
    return condition === undefined ? "*" : `${condition.not ? "!" : ""}${textOf(condition)}`;
  });
  return [service, ...cells, effect.toLowerCase()];
}

function textOf(condition: Condition): string {
  switch (condition.kind) {
    case "path":
      return condition.prefix;
    case "role":
      return condition.role;
    case "method":
    case "principal":
    case "namespace":
    case "tier":
      return condition.oneOf.join("|");
  }
}

function unlessTurned(pattern: string, test: (pattern: string) => boolean): boolean {
  if (pattern === "*") return true;
  return pattern.startsWith("!") ? !test(pattern.slice(1)) : test(pattern);
}

const isIn = (value: string, pattern: string): boolean =>
  unlessTurned(pattern, (list) => list.split("|").includes(value));
const begins = (value: string, pattern: string): boolean =>
  unlessTurned(pattern, (prefix) => value.startsWith(prefix));
const has = (values: readonly string[], pattern: string): boolean =>
  unlessTurned(pattern, (role) => values.includes(role));
