// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import Type, { type TSchema, type TString } from "typebox";

/**
 * Secrets in configurations. A field made with `SecretField` is plain text to the extension that needs it, and its
 * schema carries a mark; whatever shows a configuration (the mixer's /v1/config, logs, error messages) passes it
 * through `redactSecrets` first. The mark is on the schema and not on the value, so that nothing can be forgotten
 * by an extension that copies, joins or re-reads its configuration.
 */
const SECRET_KEYWORD = "x-secret";

/** What is shown in a secret's place. */
const REDACTED = "[redacted]";

/** A text field that is never shown. */
export function SecretField(options: { readonly description: string; readonly default?: string }): TString {
  return Type.String({ ...options, [SECRET_KEYWORD]: true });
}

/** Whether a schema's value is a secret. */
export function isSecret(schema: TSchema): boolean {
  return (schema as { readonly [SECRET_KEYWORD]?: unknown })[SECRET_KEYWORD] === true;
}

/** The parts of a JSON Schema that lead to the schemas of a value's parts. */
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
 * A copy of `value` with every secret that `schema` marks replaced. A part that any alternative of a union calls a
 * secret is one: showing too little is the safe mistake.
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

/** A schema and the alternatives it names. */
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
    // The patterns of Type.Record are not consulted: any of them may hold the key.
    return [
      ...found,
      ...Object.values(patternProperties),
      ...(typeof additionalProperties === "object" ? [additionalProperties] : []),
    ];
  });
}
