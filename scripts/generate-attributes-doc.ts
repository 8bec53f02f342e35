// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

// Writes docs/reference/attributes.md from the built-in manifest; with --check, fails when the committed file differs.
import { readFileSync, writeFileSync } from "node:fs";
import { parse } from "yaml";
import { ATTRIBUTE_FORMS, FORM_DEFINITIONS } from "../expressions/manifest/forms.ts";
import { type AttributeDeclaration, mergeManifests } from "../expressions/manifest/manifest.ts";
import type { AttributeManifestSpec } from "../expressions/manifest/manifest-spec.ts";

const SOURCE = new URL("../policies/attribute-manifest.yaml", import.meta.url);
const FILE = new URL("../docs/reference/attributes.md", import.meta.url);

const { spec } = parse(readFileSync(SOURCE, "utf8")) as { spec: AttributeManifestSpec };
const { manifest } = mergeManifests([spec]);
// The manifest's own order groups related attributes; `declarations` is sorted by name.
const order = Object.keys(spec.attributes);
const declarations = [...manifest.declarations].sort((a, b) => order.indexOf(a.name) - order.indexOf(b.name));
const groups = new Set(declarations.map(({ name }) => groupOf(name)));

function groupOf(name: string): string {
  return name.slice(0, name.indexOf("."));
}

function row({ name, type, form, values, unit, phase, optional, description }: AttributeDeclaration): string {
  const shownType = unit === undefined ? type : `${type} (${unit})`;
  const shownForm =
    values !== undefined
      ? values.map((value) => `\`${value}\``).join(", ")
      : form === undefined
        ? ""
        : `[${form}](#forms)`;
  return `| \`${name}\` | ${shownType} | ${shownForm} | ${phase} | ${optional ? "" : "yes"} | ${description} |`;
}

function rowsOf(group: string): string {
  return declarations
    .filter(({ name }) => groupOf(name) === group)
    .map(row)
    .join("\n");
}

const sections = [...groups].map(
  (group) =>
    `## ${group}\n\n| Attribute | Type | Form or values | Known from | Always there | What it is |\n|---|---|---|---|---|---|\n${rowsOf(group)}\n`,
);

const text = `# Attributes

What expressions may read of a request. The vocabulary is Istio's, as a nested object: \`request.headers."x-user"\`,
\`destination.service.name\`. An attribute that is not known of a request is absent: it has no value, and
\`$exists()\` of it is false.

Attributes that are known from the response on are refused in policies and quotas, which decide before there is one.
A TIMESTAMP is ISO 8601 text; a DURATION is a number in the unit shown; a STRING_MAP has members of any name, all
strings; ANY has whatever there is. More attributes can be declared with AttributeManifest documents.

## Forms

The form of an attribute, or its list of values, says which constants it can equal, contain or match. The checker warns of a
condition with any other constant, such as \`request.method = "get"\`, and says what to write
([policies.md](../guides/policies.md#what-is-checked-before-a-request)). An AttributeManifest gives its attributes a \`form\` or \`values\` in the same way.

| Form | The value is |
|---|---|
${ATTRIBUTE_FORMS.map((form) => `| \`${form}\` | ${FORM_DEFINITIONS[form].description} |`).join("\n")}

An attribute of type IP_ADDRESS has the form \`address\`, a DNS_NAME \`host\`, and a TIMESTAMP \`timestamp\`.

This page is generated from \`policies/attribute-manifest.yaml\` by \`npm run generated\`.

${sections.join("\n")}`;

if (process.argv.includes("--check")) {
  if (readFileSync(FILE, "utf8") !== text) {
    process.stderr.write(
      "docs/reference/attributes.md is not what the manifest says: run `npm run generated`\n",
    );
    process.exit(1);
  }
} else {
  writeFileSync(FILE, text);
}
