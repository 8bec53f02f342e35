// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { TEMPLATE_NAMES, TEMPLATE_VARIETY, type TemplateName } from "../../templates/template-names.ts";
import type { Diagnostic } from "../../../kernel/diagnostic.ts";
import { suggest } from "../../../kernel/suggest.ts";
import { TEMPLATE_FIELDS } from "../../templates/template-fields.ts";
import { faultAt, type ParsedDocument } from "../document.ts";
import type { RuleSpec } from "../kinds/handler.ts";

/** A rule is of the check variety (decided before the request is forwarded) if one of its templates is. */
export function ruleVariety({ instances }: RuleSpec): "check" | "report" {
  const checks = instances.some(
    ({ template }) => isTemplate(template) && TEMPLATE_VARIETY[template] === "check",
  );
  return checks ? "check" : "report";
}

export function isTemplate(name: string): name is TemplateName {
  return (TEMPLATE_NAMES as readonly string[]).includes(name);
}

/**
 * Checks a Rule's instances and actions: known templates and fields, a single variety, existing instances.
 */
export function faultsOfRule(document: ParsedDocument): readonly Diagnostic[] {
  const spec = document.spec as RuleSpec;
  return [
    ...spec.instances.flatMap((instance, index) =>
      faultsOfInstance(document, instance, index, ruleVariety(spec)),
    ),
    ...faultsOfActions(document, spec),
  ];
}

function faultsOfInstance(
  document: ParsedDocument,
  instance: RuleSpec["instances"][number],
  index: number,
  variety: "check" | "report",
): readonly Diagnostic[] {
  const { template, params = {} } = instance;
  const path = ["spec", "instances", index];
  if (!isTemplate(template)) {
    const suggestion = suggest(template, TEMPLATE_NAMES);
    const message = `There is no template ${JSON.stringify(template)}`;
    return [faultAt(document, "PURSER_REF_UNKNOWN", [...path, "template"], message, { suggestion })];
  }
  const faults: Diagnostic[] = [];
  if (TEMPLATE_VARIETY[template] === "quota") {
    const message = "A Rule cannot fill the template quota: write a QuotaPolicy";
    faults.push(faultAt(document, "PURSER_REF_UNSUITABLE", [...path, "template"], message));
  } else if (TEMPLATE_VARIETY[template] !== variety) {
    const message = `A Rule either checks or reports, and ${template} reports where another of its instances checks`;
    faults.push(faultAt(document, "PURSER_REF_UNSUITABLE", [...path, "template"], message));
  }
  const fields = TEMPLATE_FIELDS[template];
  for (const [name, value] of Object.entries(params)) {
    const form = Object.hasOwn(fields, name) ? fields[name] : undefined;
    const place = [...path, "params", name];
    if (form === undefined) {
      const message = `The template ${template} has no field ${JSON.stringify(name)}`;
      const suggestion = suggest(name, Object.keys(fields));
      faults.push(faultAt(document, "PURSER_DOC_UNKNOWN_FIELD", place, message, { at: "key", suggestion }));
    } else if ((typeof value === "object") !== (form === "map")) {
      const message = `The field ${name} of the template ${template} must be ${form === "map" ? "a map" : "one expression"}`;
      faults.push(faultAt(document, "PURSER_DOC_INVALID_VALUE", place, message));
    }
  }
  return faults;
}

function faultsOfActions(document: ParsedDocument, { instances, actions }: RuleSpec): readonly Diagnostic[] {
  const names = instances.map((instance) => instance.name);
  return actions.flatMap((action, index) =>
    action.instances.flatMap((name, position) => {
      if (names.includes(name)) return [];
      const path = ["spec", "actions", index, "instances", position];
      const message = `This rule has no instance ${JSON.stringify(name)}`;
      return [faultAt(document, "PURSER_REF_UNKNOWN", path, message, { suggestion: suggest(name, names) })];
    }),
  );
}
