// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

// Writes docs/reference/documents.md from the kinds' schemas; with --check, fails when the committed file differs.
import { readFileSync, writeFileSync } from "node:fs";
import { KINDS, PURSER_API_VERSION } from "../core/documents/catalog.ts";

const FILE = new URL("../docs/reference/documents.md", import.meta.url);

/** The subset of JSON Schema that the kinds use. */
interface Schema {
  readonly type?: string;
  readonly description?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly anyOf?: readonly Schema[];
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly patternProperties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly "x-expression"?: { readonly phase: string; readonly result: string };
  readonly "x-reference"?: { readonly kind: string };
}

function form(schema: Schema): string {
  if (schema["x-expression"] !== undefined)
    return schema["x-expression"].result === "boolean" ? "condition" : "expression";
  if (schema["x-reference"] !== undefined) return `name of a ${schema["x-reference"].kind}`;
  if (schema.enum !== undefined) return schema.enum.map((word) => `\`${String(word)}\``).join(", ");
  if (schema.anyOf !== undefined) return [...new Set(schema.anyOf.map(form))].join(" or ");
  if (schema.type === "array") return `list of ${form(schema.items ?? {})}`;
  if (schema.patternProperties !== undefined)
    return `map to ${form(Object.values(schema.patternProperties)[0] ?? {})}`;
  return schema.type ?? "anything";
}

/**
 * Table rows of the fields, each object's fields after it; in a path, `[]` steps into a list, `{}` into a
 * map.
 */
function rows(schema: Schema, path: string): string[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, field]) => {
    const at = `${path}${name}`;
    const required = schema.required?.includes(name) === true ? "yes" : "";
    const text = `${field.description ?? ""}`.replaceAll("|", "\\|").replaceAll("\n", " ");
    return [`| \`${at}\` | ${form(field)} | ${required} | ${text} |`, ...inside(field, at)];
  });
}

function inside(schema: Schema, at: string): string[] {
  if (schema.properties !== undefined) return rows(schema, `${at}.`);
  if (schema.items !== undefined) return inside(schema.items, `${at}[]`);
  const value = Object.values(schema.patternProperties ?? {})[0];
  return value === undefined ? [] : inside(value, `${at}{}`);
}

const own = KINDS.filter(({ apiVersions }) => apiVersions[0] === PURSER_API_VERSION);

const text = `# Documents

Everything is declared in YAML documents of the Kubernetes form: \`apiVersion\`, \`kind\`, \`metadata\` (\`name\`, and optionally
\`namespace\`, \`labels\`, \`annotations\`) and \`spec\`. A file may hold several, divided by \`---\`; after the first, Purser's own kinds may
leave out \`apiVersion\`. A set is checked whole: a fault anywhere refuses the set, and the last good one stays in force. A field that
is not listed is a fault, never ignored.

A *condition* is a JSONata expression that gives true or false; no value counts as false. An *expression* gives any value. What
they can read is in [attributes.md](attributes.md): request attributes in policies and quotas, response attributes as well in
telemetry. A document names another by \`name\`, or by \`namespace/name\` outside its own and the default namespace.

Documents stand in order: files by name, and in a file from the top. Order decides nothing but which of several policies
that refuse a request is named, and whose header operations come first.

Editors report a typo at its place with [schemas/purser.schema.json](../../schemas/purser.schema.json), the JSON Schema of all kinds with the
configurations of the bundled adapters and plugins: set it for a folder in the editor (\`yaml.schemas\` of the YAML language server), or
begin each document with \`# yaml-language-server: $schema=…/schemas/purser.schema.json\`, which counts for one document, not for its file.
Istio's kinds are in [routing.md](routing.md).

This page is generated from the kinds' schemas by \`npm run generated\`.
${own
  .map(
    ({ kind, apiVersions, description, spec }) =>
      `\n## ${kind}\n\n\`${apiVersions[0]}\`. ${description}\n\n| field of \`spec\` | form | required | meaning |\n|---|---|---|---|\n${rows(spec as Schema, "").join("\n")}\n`,
  )
  .join("")}`;

if (process.argv.includes("--check")) {
  if (readFileSync(FILE, "utf8") !== text) {
    process.stderr.write(
      "docs/reference/documents.md is not what the schemas say: run `npm run generated`\n",
    );
    process.exit(1);
  }
} else {
  writeFileSync(FILE, text);
}
