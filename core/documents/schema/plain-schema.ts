// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { TSchema } from "typebox";
import { FORM_KEYWORD, viewOf } from "./form.ts";

/** A JSON Schema as plain data, for editors. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/** Keywords whose value is one schema. */
const ONE = ["items", "additionalProperties", "not", "if", "then", "else"];
/** Keywords whose value is a list of schemas. */
const LISTS = ["anyOf", "allOf", "oneOf"];
/** Keywords whose value is a map of schemas. */
const MAPS = ["properties", "patternProperties"];

/** The schema of values that satisfy `consequence` where they satisfy `condition`. */
export function ifThen(condition: JsonSchema, consequence: JsonSchema): JsonSchema {
  // oxlint-disable-next-line unicorn/no-thenable -- the keyword of JSON Schema
  return { if: condition, then: consequence };
}

/** Applies `change` to every schema directly inside a schema; `name` is its field's name, or the keyword. */
export function mapInner(
  schema: JsonSchema,
  change: (inner: JsonSchema, name: string) => unknown,
): JsonSchema {
  const changed = (inner: unknown, name: string): unknown =>
    typeof inner === "object" && inner !== null ? change(inner as JsonSchema, name) : inner;
  const entries = Object.entries(schema).map(([keyword, value]): [string, unknown] => {
    if (ONE.includes(keyword)) return [keyword, changed(value, keyword)];
    if (LISTS.includes(keyword))
      return [keyword, (value as readonly unknown[]).map((each) => changed(each, keyword))];
    if (!MAPS.includes(keyword)) return [keyword, value];
    const fields = Object.entries(value as Readonly<Record<string, unknown>>);
    return [keyword, Object.fromEntries(fields.map(([name, each]) => [name, changed(each, name)]))];
  });
  return Object.fromEntries(entries);
}

/**
 * A schema of TypeBox as editors need it: without the marks of the checks, and with the form of a pattern in words. A field
 * with a default may be absent.
 */
export function plainSchema(schema: TSchema): JsonSchema {
  const plain = JSON.parse(JSON.stringify(schema)) as JsonSchema;
  return unmarked(plain);
}

function unmarked(schema: JsonSchema): JsonSchema {
  const { [FORM_KEYWORD]: form, pattern, properties, required } = viewOf(schema as TSchema);
  const kept = Object.entries(schema).filter(([keyword]) => !keyword.startsWith("x-"));
  const needed = required?.filter((name) => !Object.hasOwn(properties?.[name] ?? {}, "default"));
  return mapInner(
    {
      ...Object.fromEntries(kept),
      ...(form === undefined || pattern === undefined ? {} : { patternErrorMessage: `must be ${form}` }),
      ...(needed === undefined ? {} : { required: needed }),
    },
    unmarked,
  );
}
