// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/** The subset of JSON Schema that configurations of extensions use. */
export interface ConfigSchema {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly anyOf?: readonly ConfigSchema[];
  readonly items?: ConfigSchema | readonly ConfigSchema[];
  readonly properties?: Readonly<Record<string, ConfigSchema>>;
  readonly patternProperties?: Readonly<Record<string, ConfigSchema>>;
  readonly additionalProperties?: ConfigSchema | boolean;
  readonly required?: readonly string[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly "x-secret"?: boolean;
}

/** A Markdown table of a configuration's fields, in the schema's order; empty for a configuration without fields. */
export function configTable(schema: ConfigSchema): string {
  const rows = fieldRows(schema, "");
  if (rows.length === 0) return "";
  return `| field of \`config\` | form | default | meaning |\n|---|---|---|---|\n${rows.join("\n")}\n`;
}

/** Rows of the fields, each object's own fields after it; in a path, `[]` steps into a list, `{}` into a map. */
function fieldRows(schema: ConfigSchema, path: string): readonly string[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, field]) => {
    const at = `${path}${name}`;
    const isRequired = schema.required?.includes(name) === true && field.default === undefined;
    const byDefault = field.default === undefined ? (isRequired ? "required" : "") : shown(field.default);
    return [
      `| \`${at}\` | ${cell(formOf(field))} | ${byDefault} | ${cell(field.description ?? "")} |`,
      ...rowsInside(field, at),
    ];
  });
}

function rowsInside(schema: ConfigSchema, at: string): readonly string[] {
  if (schema.properties !== undefined) return fieldRows(schema, `${at}.`);
  if (schema.anyOf !== undefined) return schema.anyOf.flatMap((choice) => rowsInside(choice, at));
  if (schema.items !== undefined) return itemsOf(schema).flatMap((item) => rowsInside(item, `${at}[]`));
  const value = memberOf(schema);
  return value === undefined ? [] : rowsInside(value, `${at}{}`);
}

function formOf(schema: ConfigSchema): string {
  if (schema["x-secret"] === true) return "secret text";
  if (schema.const !== undefined) return shown(schema.const);
  if (schema.enum !== undefined) return schema.enum.map((word) => shown(word)).join(", ");
  if (schema.anyOf !== undefined) return [...new Set(schema.anyOf.map(formOf))].join(" or ");
  if (schema.type === "array")
    return `list of ${[...new Set(itemsOf(schema).map(formOf))].join(" and ") || "anything"}`;
  const member = memberOf(schema);
  if (schema.properties === undefined && member !== undefined) return `map to ${formOf(member)}`;
  return `${schema.type ?? "anything"}${rangeOf(schema)}`;
}

function rangeOf({ minimum, maximum }: ConfigSchema): string {
  if (minimum !== undefined && maximum !== undefined) return ` from ${minimum} to ${maximum}`;
  if (minimum !== undefined) return `, at least ${minimum}`;
  return maximum === undefined ? "" : `, at most ${maximum}`;
}

function itemsOf({ items }: ConfigSchema): readonly ConfigSchema[] {
  if (items === undefined) return [];
  return Array.isArray(items) ? (items as readonly ConfigSchema[]) : [items as ConfigSchema];
}

/** The schema of a map's values. */
function memberOf({ patternProperties, additionalProperties }: ConfigSchema): ConfigSchema | undefined {
  const [member] = Object.values(patternProperties ?? {});
  return member ?? (typeof additionalProperties === "object" ? additionalProperties : undefined);
}

/** A value as code; JSON without the quotes of a text. */
function shown(value: unknown): string {
  const text = typeof value === "string" && value !== "" ? value : JSON.stringify(value);
  return cell(`\`${text}\``);
}

function cell(text: string): string {
  return text.replaceAll("|", "\\|").replaceAll("\n", " ");
}
