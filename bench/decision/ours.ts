// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { createHash } from "node:crypto";
import { stringify } from "yaml";
import { builtInManifest } from "../../config/built-in-manifest.ts";
import type { AttributeBag } from "../../core/attributes/bag.ts";
import { compileExpression } from "../../cli/compose/part-config.ts";
import { decide } from "../../core/check/decide.ts";
import { planChecks } from "../../core/check/plan.ts";
import { parseDocuments } from "../../core/documents/parse-documents.ts";
import { createInventory } from "../../core/hooks/inventory.ts";
import { formatDiagnostic } from "../../kernel/diagnostic.ts";
import { isPromise } from "../../kernel/maybe-promise.ts";
import { buildSnapshot } from "../../core/snapshot/build-snapshot.ts";
import type { Snapshot } from "../../core/snapshot/snapshot.ts";
import type { DecisionEngine } from "./engine.ts";
import type { Condition, DecisionRequest, PolicyRule } from "./rules.ts";

/**
 * The mixer's whole decision, from documents that it parses, checks and compiles like any user's documents.
 */
export const PURSER: DecisionEngine = {
  name: "purser",
  async prepare(rules) {
    const plan = planChecks(snapshotOf(rules));
    const context = { nowMs: Date.now(), dispatch: { attributeSources: [], ask: () => undefined } };
    return {
      request: bagOf,
      allows(bag) {
        const decision = decide(plan, bag as AttributeBag, context);
        return isPromise(decision)
          ? decision.then(({ status }) => status.code === "OK")
          : decision.status.code === "OK";
      },
    };
  },
};

function snapshotOf(rules: readonly PolicyRule[]): Snapshot {
  const text = rules.map((rule) => stringify(documentOf(rule))).join("---\n");
  const checked = buildSnapshot({
    files: [parseDocuments({ path: "policies.yaml", text })],
    version: createHash("sha256").update(text).digest("hex"),
    builtIn: [builtInManifest()],
    compile: compileExpression,
    inventory: createInventory([]),
  });
  if (checked.ok) return checked.value;
  throw new Error(checked.diagnostics.map((diagnostic) => formatDiagnostic(diagnostic)).join("\n"));
}

function documentOf({ name, effect, service, conditions }: PolicyRule): unknown {
  return {
    apiVersion: "purser.dev/v1",
    kind: "AccessPolicy",
    metadata: { name },
    spec: {
      match: `destination.service.name = ${JSON.stringify(service)}`,
      action: effect,
      when: conditions.map(expressionOf).join(" and "),
    },
  };
}

const ATTRIBUTES = {
  method: "request.method",
  principal: "source.principal",
  namespace: "source.namespace",
  tier: 'request.headers."x-tier"',
} as const;

function expressionOf(condition: Condition): string {
  const positive = positiveExpressionOf(condition);
  return condition.not ? `$not(${positive})` : positive;
}

function positiveExpressionOf(condition: Condition): string {
  switch (condition.kind) {
    case "path":
      return `$substring(request.url_path, 0, ${condition.prefix.length}) = ${JSON.stringify(condition.prefix)}`;
    case "role":
      return `${JSON.stringify(condition.role)} in request.auth.claims.roles`;
    case "method":
    case "principal":
    case "namespace":
    case "tier": {
      const [only, ...more] = condition.oneOf.map((value) => JSON.stringify(value));
      const attribute = ATTRIBUTES[condition.kind];
      return more.length === 0 ? `${attribute} = ${only}` : `${attribute} in [${[only, ...more].join(", ")}]`;
    }
  }
}

/** The bag that a proxy sends, including attributes that no policy reads. */
function bagOf({ service, method, path, principal, namespace, roles, tier }: DecisionRequest): AttributeBag {
  return {
    source: { ip: "10.12.4.7", port: 41_822, principal, namespace, labels: { version: "v1" } },
    destination: { ip: "10.12.9.31", port: 9080, service: { name: service, namespace: "shop" } },
    request: {
      id: "7c1f3f0e-8a53-4e35-9a0c-0f2b6f9be2a1",
      method,
      scheme: "https",
      host: `${service}.shop`,
      path,
      url_path: path,
      time: "2026-05-04T09:30:11.250Z",
      headers: { host: `${service}.shop`, accept: "*/*", ...(tier === undefined ? {} : { "x-tier": tier }) },
      auth: { claims: { sub: "ann", roles: [...roles] } },
    },
    connection: { mtls: true },
  };
}
