// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/** The subset of JSON Schema that the kinds use. */
export interface FieldSchema {
  readonly type?: string;
  readonly description?: string;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly FieldSchema[];
  readonly items?: FieldSchema;
  readonly properties?: Readonly<Record<string, FieldSchema>>;
  readonly patternProperties?: Readonly<Record<string, FieldSchema>>;
  readonly required?: readonly string[];
}

/** Texts in place of the schema's descriptions, by path: `{a,b}` are several fields, `PATH.**` all fields below a path. */
export type Notes = Readonly<Record<string, string>>;

interface Leaf {
  readonly path: string;
  readonly schema: FieldSchema;
  readonly required: boolean;
}

/**
 * A Markdown table of a kind's fields, in the schema's order.
 *
 * @throws {Error} when a note is about a field that the schema lacks.
 */
export function fieldTable(kind: string, schema: FieldSchema, notes: Notes): string {
  const leaves = leavesOf(schema, "", true);
  const noted = new Map<string, string>();
  for (const pattern of Object.keys(notes)) {
    for (const path of pathsOf(pattern, leaves)) {
      if (!leaves.some((leaf) => leaf.path === path))
        throw new Error(`${kind} has no field ${path}, which scripts/routing-notes.yaml has as ${pattern}`);
      if (!noted.has(path)) noted.set(path, pattern);
    }
  }
  const written = new Set<string>();
  const rows = leaves.flatMap((leaf) => {
    const pattern = noted.get(leaf.path);
    if (pattern === undefined) return [rowOf(leaf.path, [leaf], leaf.schema.description ?? "")];
    if (written.has(pattern)) return [];
    written.add(pattern);
    const all = leaves.filter(({ path }) => noted.get(path) === pattern);
    return [rowOf(pattern, all, notes[pattern] ?? "")];
  });
  return `| field | form | required | meaning and default |\n|---|---|---|---|\n${rows.join("\n")}\n`;
}

function rowOf(path: string, leaves: readonly Leaf[], text: string): string {
  const forms = new Set(leaves.map(({ schema }) => formOf(schema)));
  const form = forms.size === 1 ? [...forms][0] : "";
  const required = leaves.every((leaf) => leaf.required) ? "yes" : "";
  return `| \`${path}\` | ${form} | ${required} | ${text.replaceAll(/(?<!\\)\|/g, "\\|").replaceAll("\n", " ")} |`;
}

/** Every scalar of the schema with its path: `[]` is an item of a list, `*` an entry of a map. */
function leavesOf(schema: FieldSchema, path: string, required: boolean): readonly Leaf[] {
  const inner = withoutNull(schema);
  if (inner.items !== undefined) {
    const below = leavesOf(inner.items, `${path}[]`, required);
    // The description of a list of texts says more than the one of its items.
    return below.length === 1 && below[0]?.path === `${path}[]` && below[0].schema.description === undefined
      ? [{ path: `${path}[]`, schema: { ...inner.items, description: inner.description ?? "" }, required }]
      : below;
  }
  const needed = inner.required ?? [];
  const entries = [
    ...Object.entries(inner.properties ?? {}).map(
      ([name, entry]) => [name, entry, required && needed.includes(name)] as const,
    ),
    ...Object.values(inner.patternProperties ?? {}).map((entry) => ["*", entry, false] as const),
  ];
  if (entries.length === 0) return [{ path, schema: inner, required }];
  return entries.flatMap(([name, entry, isNeeded]) => {
    const described =
      name === "*" && entry.description === undefined && inner.description !== undefined
        ? { ...entry, description: inner.description }
        : entry;
    return leavesOf(described, path === "" ? name : `${path}.${name}`, isNeeded);
  });
}

/** The schema of a value that may be null too. */
function withoutNull(schema: FieldSchema): FieldSchema {
  const others = schema.anyOf?.filter(({ type }) => type !== "null");
  return others?.length === 1 && others.length !== schema.anyOf?.length ? (others[0] ?? schema) : schema;
}

function pathsOf(pattern: string, leaves: readonly Leaf[]): readonly string[] {
  return expand(pattern).flatMap((path) => {
    if (!path.endsWith(".**")) return [path];
    const below = path.slice(0, -2);
    const found = leaves.filter((leaf) => leaf.path.startsWith(below)).map((leaf) => leaf.path);
    return found.length === 0 ? [path] : found;
  });
}

/** Brace expansion: `a.{b,c}.{d,e}` is four paths. */
function expand(path: string): readonly string[] {
  const [whole, choices] = /\{([^}]*)\}/.exec(path) ?? [];
  if (whole === undefined || choices === undefined) return [path];
  return choices.split(",").flatMap((choice) => expand(path.replace(whole, choice)));
}

function formOf(schema: FieldSchema): string {
  if (schema.enum !== undefined) return schema.enum.map((word) => `\`${String(word)}\``).join(", ");
  if (schema.anyOf !== undefined) return [...new Set(schema.anyOf.map(formOf))].join(" or ");
  return schema.type ?? "anything";
}
