// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { TemplateName } from "../../templates/template-names.ts";
import type { Diagnostic } from "../../../kernel/diagnostic.ts";
import { faultAt, type ParsedDocument } from "../document.ts";
import type { DocumentSet } from "./document-set.ts";
import type { ResolvedHandler } from "./handlers.ts";
import { REFERENCE_KEYWORD, type ReferenceMark } from "../kinds/fields.ts";
import { AUTHORIZATION_POLICY } from "../kinds/authorization-policy.ts";
import { HANDLER, RULE, type RuleSpec } from "../kinds/handler.ts";
import { displayName } from "../kinds/kind.ts";
import { QUOTA_POLICY } from "../kinds/quota-policy.ts";
import { LOG_ENTRY, METRIC, TRACE_SPAN } from "../kinds/telemetry.ts";
import { isTemplate } from "./rules.ts";
import { markedTexts } from "../schema/marks.ts";
import type { DocumentPath } from "../yaml/places.ts";

/** The template of each short form's instances, which its handlers must implement. */
const TEMPLATE_OF_KIND: ReadonlyMap<string, TemplateName> = new Map([
  [QUOTA_POLICY.kind, "quota"],
  [METRIC.kind, "metric"],
  [LOG_ENTRY.kind, "logentry"],
  [TRACE_SPAN.kind, "tracespan"],
  [AUTHORIZATION_POLICY.kind, "authorization"],
]);

/** Checks that the documents named in references exist and are suitable. */
export function faultsOfReferences(
  set: DocumentSet,
  handlers: ReadonlyMap<ParsedDocument, ResolvedHandler>,
): readonly Diagnostic[] {
  const faults: Diagnostic[] = [];
  for (const document of set.documents) {
    const { namespace } = document.metadata;
    for (const { schema, text, path } of markedTexts(
      REFERENCE_KEYWORD,
      document.definition.spec,
      document.spec,
      ["spec"],
    )) {
      const { kind } = schema[REFERENCE_KEYWORD] as ReferenceMark;
      const target = set.resolve(kind, text, namespace);
      if (target !== undefined) {
        const handler = handlers.get(target);
        if (kind === HANDLER.kind && handler !== undefined && document.valid)
          faults.push(...faultsOfUse(document, path, target, handler));
      } else if (set.complete) {
        const suggestion = set.suggest(kind, text, namespace);
        const message = `There is no ${kind} ${JSON.stringify(text)}`;
        faults.push(
          document.definition.kind === AUTHORIZATION_POLICY.kind
            ? missingProvider(document, path, message, suggestion)
            : faultAt(document, "PURSER_REF_UNKNOWN", path, message, { suggestion }),
        );
      }
    }
  }
  return faults;
}

/**
 * A provider of Istio is declared in its MeshConfig, outside the documents, so that its absence is a warning. The policy
 * then refuses: see authorizationDocuments.
 */
function missingProvider(
  document: ParsedDocument,
  path: DocumentPath,
  absence: string,
  suggestion: string | undefined,
): Diagnostic {
  const message = `${absence}: until there is, requests for which a rule holds are refused`;
  return {
    ...faultAt(document, "PURSER_REF_UNRESOLVED", path, message, { suggestion }),
    severity: "warning",
  };
}

function faultsOfUse(
  document: ParsedDocument,
  path: DocumentPath,
  target: ParsedDocument,
  { definition }: ResolvedHandler,
): readonly Diagnostic[] {
  return [...new Set(templatesNeeded(document, path))]
    .filter((template) => !definition.templates.includes(template))
    .map((template) => {
      const does = definition.templates.length === 0 ? "no template" : definition.templates.join(", ");
      const message =
        `Handler ${displayName(target.metadata)} cannot take ${template}: ` +
        `the ${definition.extension} ${definition.name} implements ${does}`;
      return faultAt(document, "PURSER_REF_UNSUITABLE", path, message);
    });
}

function templatesNeeded({ definition, spec }: ParsedDocument, path: DocumentPath): readonly TemplateName[] {
  if (definition.kind !== RULE.kind) {
    const template = TEMPLATE_OF_KIND.get(definition.kind);
    return template === undefined ? [] : [template];
  }
  const { actions, instances } = spec as RuleSpec;
  const names = actions[Number(path[2])]?.instances ?? [];
  return instances
    .filter(({ name }) => names.includes(name))
    .flatMap(({ template }) => (isTemplate(template) ? [template] : []));
}
