// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { CheckPlan, Placed } from "../check/plan.ts";
import type { Expression } from "../expressions/expression.ts";
import type {
  AccessPolicy,
  Computed,
  ComputedMap,
  HeaderTemplates,
  QuotaPolicy,
  Rule,
} from "../snapshot/snapshot.ts";

export type Explained = Placed<AccessPolicy | QuotaPolicy | Rule>;

/** Returns the replacement for an expression; `field` is its path in the document's spec. */
export type Replace = (document: Explained, field: string, expression: Expression) => Expression;

/** The same plan with replaced expressions, for `decide`. */
export function replaceExpressions(plan: CheckPlan, replace: Replace): CheckPlan {
  const access = (placed: Placed<AccessPolicy>) => ({
    ...placed,
    document: accessPolicy(placed.document, new Fields(placed, replace)),
  });
  return {
    deny: plan.deny.map(access),
    allow: plan.allow.map(access),
    audit: plan.audit.map(access),
    rules: plan.rules.map((placed) => ({
      ...placed,
      document: rule(placed.document, new Fields(placed, replace)),
    })),
    quotas: replaceQuotas(plan.quotas, replace),
    ...(plan.gateways === undefined ? {} : { gateways: replaceExpressions(plan.gateways, replace) }),
  };
}

/** Each policy is replaced once, however many others draw on it. */
function replaceQuotas(quotas: CheckPlan["quotas"], replace: Replace): CheckPlan["quotas"] {
  const replaced = new Map<QuotaPolicy, QuotaPolicy>();
  const documentOf = (placed: Placed<QuotaPolicy>): QuotaPolicy => {
    const document =
      replaced.get(placed.document) ?? quotaPolicy(placed.document, new Fields(placed, replace));
    replaced.set(placed.document, document);
    return document;
  };
  return quotas.map((placed) => ({
    ...placed,
    document: documentOf(placed),
    beyond: placed.beyond.map((step) =>
      step.kind === "draw"
        ? { kind: step.kind, policy: { ...step.policy, document: documentOf(step.policy) } }
        : step,
    ),
  }));
}

/** All documents of a plan in document order. */
export function documentsOfPlan(plan: CheckPlan): readonly Explained[] {
  const { deny, allow, audit, rules, quotas } = plan;
  const all: readonly Explained[] = [...deny, ...allow, ...audit, ...rules, ...quotas];
  return all.toSorted((a, b) => a.order - b.order);
}

class Fields {
  readonly #document: Explained;
  readonly #replace: Replace;

  constructor(document: Explained, replace: Replace) {
    this.#document = document;
    this.#replace = replace;
  }

  expression(field: string, expression: Expression): Expression {
    return this.#replace(this.#document, field, expression);
  }

  optional(field: string, expression: Expression | undefined): Expression | undefined {
    return expression === undefined ? undefined : this.expression(field, expression);
  }

  computed(field: string, computed: Computed): Computed {
    return computed.kind === "literal"
      ? computed
      : { kind: "expression", expression: this.expression(field, computed.expression) };
  }

  map(field: string, map: ComputedMap): ComputedMap {
    return map.map(([key, computed]) => [key, this.computed(`${field}.${key}`, computed)] as const);
  }

  headers(field: string, { set, append, remove }: HeaderTemplates): HeaderTemplates {
    const each = (operation: string, templates: HeaderTemplates["set"]) =>
      templates.map(
        ([name, value]) => [name, this.expression(`${field}.${operation}.${name}`, value)] as const,
      );
    return { set: each("set", set), append: each("append", append), remove };
  }
}

function accessPolicy(policy: AccessPolicy, fields: Fields): AccessPolicy {
  const { directResponse, headers, status } = policy;
  return {
    ...policy,
    match: fields.optional("match", policy.match),
    when: fields.optional("when", policy.when),
    status: { ...status, message: fields.optional("status.message", status.message) },
    headers: {
      request: fields.headers("headers.request", headers.request),
      response: fields.headers("headers.response", headers.response),
    },
    directResponse: directResponse && {
      ...directResponse,
      body: fields.optional("directResponse.body", directResponse.body),
    },
  };
}

function quotaPolicy(policy: QuotaPolicy, fields: Fields): QuotaPolicy {
  return {
    ...policy,
    match: fields.optional("match", policy.match),
    key: fields.map("key", policy.key),
    charge: fields.computed("charge", policy.charge),
    overrides: policy.overrides.map(({ when, limit }, index) => ({
      when: fields.expression(`overrides[${index}].when`, when),
      limit,
    })),
    message: fields.optional("status.message", policy.message),
  };
}

function rule(document: Rule, fields: Fields): Rule {
  return {
    ...document,
    match: fields.optional("match", document.match),
    actions: document.actions.map((action, index) => ({
      ...action,
      instances: action.instances.map((instance) => ({
        ...instance,
        params: instance.params.map(([name, value]) => {
          const field = `actions[${index}].${instance.name}.${name}`;
          return [name, "kind" in value ? fields.computed(field, value) : fields.map(field, value)] as const;
        }),
      })),
    })),
  };
}
