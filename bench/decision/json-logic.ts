// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import jsonLogic from "json-logic-js";
import type { RulesLogic } from "json-logic-js";
import type { DecisionEngine } from "./engine.ts";
import type { Condition, PolicyRule } from "./rules.ts";

/**
 * json-logic has no policies: the caller loops over DENY rules, then ALLOW rules, and stops at the first that
 * holds.
 */
export const JSON_LOGIC: DecisionEngine = {
  name: "json-logic",
  async prepare(rules) {
    const logicOf = (effect: PolicyRule["effect"]): readonly RulesLogic[] =>
      rules.filter((rule) => rule.effect === effect).map(ruleLogic);
    const deny = logicOf("DENY");
    const allow = logicOf("ALLOW");
    return {
      request: (request) => request,
      allows(request) {
        const holds = (logic: RulesLogic): boolean => jsonLogic.apply(logic, request) === true;
        return !deny.some(holds) && allow.some(holds);
      },
    };
  },
};

function ruleLogic({ service, conditions }: PolicyRule): RulesLogic {
  return { and: [{ "==": [{ var: "service" }, service] }, ...conditions.map(logicOf)] } as RulesLogic;
}

function logicOf(condition: Condition): RulesLogic {
  const positive = positiveLogicOf(condition);
  return (condition.not ? { "!": [positive] } : positive) as RulesLogic;
}

function positiveLogicOf(condition: Condition): RulesLogic {
  switch (condition.kind) {
    case "path":
      return {
        "==": [{ substr: [{ var: "path" }, 0, condition.prefix.length] }, condition.prefix],
      } as RulesLogic;
    case "role":
      return { in: [condition.role, { var: "roles" }] } as RulesLogic;
    case "method":
    case "principal":
    case "namespace":
    case "tier":
      return { in: [{ var: condition.kind }, [...condition.oneOf]] } as RulesLogic;
  }
}
