// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { ExpressionUse, Purpose } from "../../../expressions/checker/finding.ts";
import { parseDurationMs } from "../../../kernel/duration.ts";
import type { ParsedDocument } from "../document.ts";
import { ACCESS_POLICY, type AccessPolicySpec } from "../kinds/access-policy.ts";
import { EXPRESSION_KEYWORD, type ExpressionMark } from "../kinds/fields.ts";
import { RULE, type RuleSpec } from "../kinds/handler.ts";
import type { Phase } from "../../../expressions/manifest/manifest-spec.ts";
import { QUOTA_POLICY } from "../kinds/quota-policy.ts";
import type { MarkedText } from "../schema/marks.ts";
import { ruleVariety } from "./rules.ts";

/** A document's use of one of its expressions. */
export function useOf(document: ParsedDocument, marked: MarkedText): Omit<ExpressionUse, "manifest"> {
  const { result } = marked.schema[EXPRESSION_KEYWORD] as ExpressionMark;
  const phase = phaseOf(document, marked);
  const [, field = ""] = marked.path;
  const { match } = document.spec as { readonly match?: unknown };
  return {
    phase,
    purpose: result === "boolean" ? purposeOf(document, field, phase) : "value",
    cached: phase === "request" && !isKeptForNoTime(document) && !FOR_PEOPLE.has(field),
    given: field !== "match" && typeof match === "string" ? [match] : [],
  };
}

/** Fields whose values decide nothing: people read them. */
const FOR_PEOPLE: ReadonlySet<unknown> = new Set(["status", "directResponse"]);

function purposeOf({ definition, spec, valid }: ParsedDocument, field: unknown, phase: Phase): Purpose {
  if (!valid) return "audit";
  if (definition.kind === ACCESS_POLICY.kind) {
    const { action } = spec as AccessPolicySpec;
    if (action === "DENY") return "deny";
    if (action === "AUDIT") return "audit";
    return field === "match" ? "match" : "allow";
  }
  const governs = definition.kind === QUOTA_POLICY.kind || definition.kind === RULE.kind;
  return governs && field === "match" && phase === "request" ? "match" : "audit";
}

/** Whether an AccessPolicy has `validDuration: 0s`: proxies must not cache its decisions. */
function isKeptForNoTime({ definition, spec, valid }: ParsedDocument): boolean {
  if (definition.kind !== ACCESS_POLICY.kind || !valid) return false;
  const { validDuration } = spec as AccessPolicySpec;
  return validDuration !== undefined && parseDurationMs(validDuration) === 0;
}

/** A Rule's phase depends on its templates: check templates are decided before the request is forwarded. */
function phaseOf({ definition, spec, valid }: ParsedDocument, { schema }: MarkedText): Phase {
  const { phase, responseWith } = schema[EXPRESSION_KEYWORD] as ExpressionMark;
  if (responseWith !== undefined && (spec as Readonly<Record<string, unknown>>)[responseWith] !== undefined)
    return "response";
  if (definition.kind !== RULE.kind || !valid) return phase;
  return ruleVariety(spec as RuleSpec) === "check" ? "request" : phase;
}
