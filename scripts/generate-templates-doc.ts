// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

// Writes docs/reference/templates.md from core/templates; with --check, fails when the committed file differs.
import { readFileSync } from "node:fs";
import { BUNDLED_ADAPTERS } from "../adapters/inventory.ts";
import { TEMPLATE_FIELDS } from "../core/templates/template-fields.ts";
import { TEMPLATE_NAMES, TEMPLATE_VARIETY, type TemplateName } from "../core/templates/template-names.ts";
import { BUNDLED_PLUGINS } from "../plugins/inventory.ts";
import { sampleInstances } from "../plugins/sdk/testing/index.ts";
import { writeOrCheck } from "./write-or-check.ts";

/** The interface of a template's instances, and the file that declares it. */
const TYPES: Readonly<Record<TemplateName, readonly [name: string, file: string]>> = {
  listentry: ["ListEntryInstance", "core/templates/instances.ts"],
  checknothing: ["CheckNothingInstance", "core/templates/instances.ts"],
  headers: ["HeadersInstance", "core/templates/instances.ts"],
  authorization: ["AuthorizationInstance", "core/templates/instances.ts"],
  quota: ["QuotaRequest", "core/quota/quota.ts"],
  metric: ["MetricInstance", "core/templates/instances.ts"],
  logentry: ["LogEntryInstance", "core/templates/instances.ts"],
  tracespan: ["TraceSpanInstance", "core/templates/instances.ts"],
  decision: ["DecisionInstance", "core/templates/instances.ts"],
};

/** How a handler is called, by the template's variety. */
const CALLED = {
  check: "while a request waits, with one instance; it answers with a `CheckAnswer`",
  quota: "while a request waits, with all demands of the request; it answers with a `QuotaGrant` for each",
  report: "after requests, with a batch of instances",
} as const;

function declarationOf(template: TemplateName): string {
  const [name, file] = TYPES[template];
  const source = readFileSync(new URL(`../${file}`, import.meta.url), "utf8");
  const found = new RegExp(`^export interface ${name} [^]*?^}$`, "m").exec(source);
  if (found === null) throw new Error(`${file} declares no interface ${name}`);
  return found[0].replace(/^export /, "").replaceAll("readonly ", "");
}

function paramsOf(template: TemplateName): string {
  const fields = Object.entries(TEMPLATE_FIELDS[template]).map(
    ([field, form]) => `\`${field}\`${form === "map" ? " (a map of values)" : ""}`,
  );
  if (TEMPLATE_VARIETY[template] === "quota") return "A QuotaPolicy with a `store` makes its demands.";
  return fields.length === 0
    ? "A Rule's instance has no `params`."
    : `The \`params\` of a Rule's instance fill ${fields.join(", ")}.`;
}

function section(template: TemplateName): string {
  const sample = sampleInstances()[template];
  const example: unknown = Array.isArray(sample) ? sample[0] : sample;
  const takers = [...BUNDLED_ADAPTERS, ...BUNDLED_PLUGINS]
    .filter(({ templates }) => templates.includes(template))
    .map(({ name }) => `[${name}](extensions.md#${name})`)
    .toSorted();
  return `
## ${template}

A handler is called ${CALLED[TEMPLATE_VARIETY[template]]}. ${paramsOf(template)}
Bundled extensions: ${takers.length === 0 ? "none" : takers.join(", ")}.

\`\`\`ts
${declarationOf(template)}
\`\`\`

\`\`\`json
${JSON.stringify(example, undefined, 2)}
\`\`\`
`;
}

writeOrCheck(
  "docs/reference/templates.md",
  `# Templates

A _template_ is a kind of instance: what Purser passes to a handler. For each template, this page has the fields with their types, as
\`purser/sdk\` exports them, and an example. [adapters.md](../guides/adapters.md) and [plugins.md](../guides/plugins.md) describe the functions that take them.

This page is generated from \`core/templates/\` by \`npm run generated\`.
${TEMPLATE_NAMES.map(section).join("")}`,
);
