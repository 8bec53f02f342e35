// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import Type, { type TSchema, type TString } from "typebox";

/**
 * Secrets in configurations. A field made with `SecretField` is plain text to the extension, and its schema
 * carries a mark. Code that shows a configuration (the mixer's /v1/config, logs, error messages) passes it
 * through `redactSecrets` first. The mark is on the schema, not on the value, so that an extension cannot
 * lose it by copying, joining or re-reading its configuration.
 */
const SECRET_KEYWORD = "x-secret";

/** Replacement for a secret. */
const REDACTED = "[redacted]";

/** A text field that is never shown. */
export function SecretField(options: { readonly description: string; readonly default?: string }): TString {
  return Type.String({ ...options, [SECRET_KEYWORD]: true });
}

/** Whether a schema's value is a secret. */
export function isSecret(schema: TSchema): boolean {
  return (schema as { readonly [SECRET_KEYWORD]?: unknown })[SECRET_KEYWORD] === true;
}

/** The keywords of a JSON Schema that lead to sub-schemas. */
interface SchemaParts {
  readonly properties?: Readonly<Record<string, TSchema>>;
  readonly patternProperties?: Readonly<Record<string, TSchema>>;
  readonly additionalProperties?: TSchema | boolean;
  readonly items?: TSchema | readonly TSchema[];
  readonly anyOf?: readonly TSchema[];
  readonly allOf?: readonly TSchema[];
  readonly oneOf?: readonly TSchema[];
}

/**
 * A copy of `value` with every secret that `schema` marks replaced. A part is secret if any alternative of a
 * union marks it: redacting too much is the safe mistake.
 */
export function redactSecrets(schema: TSchema, value: unknown): unknown {
  return redact([schema], value);
}

function redact(schemas: readonly TSchema[], value: unknown): unknown {
  const alternatives = schemas.flatMap(flatten);
  if (value === undefined || value === null) return value;
  if (alternatives.some(isSecret)) return REDACTED;
  if (Array.isArray(value)) {
    return value.map((item: unknown, index) => redact(schemasOfItem(alternatives, index), item));
  }
  if (typeof value !== "object") return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, part]) => [key, redact(schemasOfKey(alternatives, key), part)]),
  );
}

/** A schema and its alternatives, recursively. */
function flatten(schema: TSchema): readonly TSchema[] {
  const { anyOf = [], allOf = [], oneOf = [] } = schema as SchemaParts;
  return [schema, ...[...anyOf, ...allOf, ...oneOf].flatMap(flatten)];
}

function schemasOfItem(schemas: readonly TSchema[], index: number): readonly TSchema[] {
  return schemas.flatMap((schema) => {
    const { items } = schema as SchemaParts;
    if (items === undefined) return [];
    if (!Array.isArray(items)) return [items as TSchema];
    return items[index] === undefined ? [] : [items[index] as TSchema];
  });
}

function schemasOfKey(schemas: readonly TSchema[], key: string): readonly TSchema[] {
  return schemas.flatMap((schema) => {
    const { properties = {}, patternProperties = {}, additionalProperties } = schema as SchemaParts;
    const found = Object.hasOwn(properties, key) ? [properties[key] as TSchema] : [];
    // All patterns of Type.Record are used without matching the key: any of them may apply.
    return [
      ...found,
      ...Object.values(patternProperties),
      ...(typeof additionalProperties === "object" ? [additionalProperties] : []),
    ];
  });
}
