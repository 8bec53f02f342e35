// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import Type, { type Static, type TSchema, type TUnsafe } from "typebox";
import { type SchemaView, viewOf } from "../../../core/documents/schema/form.ts";

/** The same schema with unknown fields allowed at every depth: for replies of a newer version. */
export function opened<S extends TSchema>(schema: S): TUnsafe<Static<S>> {
  return Type.Unsafe<Static<S>>(withoutEnd(schema));
}

function withoutEnd(schema: TSchema): TSchema {
  const { properties, patternProperties, items, anyOf, additionalProperties } = viewOf(schema);
  const changes: Partial<Record<keyof SchemaView, unknown>> = {
    ...(properties === undefined ? {} : { properties: mapped(properties) }),
    ...(patternProperties === undefined ? {} : { patternProperties: mapped(patternProperties) }),
    ...(items === undefined ? {} : { items: withoutEnd(items) }),
    ...(anyOf === undefined ? {} : { anyOf: anyOf.map(withoutEnd) }),
    ...(additionalProperties === false ? { additionalProperties: true } : {}),
  };
  // A copy with hidden properties, in which TypeBox keeps refinements and optional marks.
  const copy: TSchema = Object.create(null, Object.getOwnPropertyDescriptors(schema));
  return Object.assign(copy, changes);
}

function mapped(schemas: Readonly<Record<string, TSchema>>): Readonly<Record<string, TSchema>> {
  return Object.fromEntries(Object.entries(schemas).map(([name, schema]) => [name, withoutEnd(schema)]));
}
