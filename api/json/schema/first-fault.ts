// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { TSchema } from "typebox";
import { Compile, type Validator } from "typebox/compile";
import type { SchemaView } from "../../../core/documents/schema/form.ts";

/**
 * The first way in which a JSON value does not fit a schema, as `charges[0].limit must be integer`; undefined when it fits.
 *
 * Work ends at the first fault, and a list's length is looked at before its items: a body of a megabyte with a fault in each
 * of its 400,000 items must cost no more than one with a single fault. TypeBox's own list of errors visits every item.
 */
export function firstFault(schema: TSchema, value: unknown, at = ""): string | undefined {
  const { items, maxItems, properties } = schema as SchemaView & { readonly maxItems?: number };
  if (items !== undefined && Array.isArray(value)) {
    if (maxItems !== undefined && value.length > maxItems)
      return `${named(at)} must not have more than ${maxItems} items, and has ${value.length}`;
    for (const [index, item] of value.entries()) {
      const fault = firstFault(items, item, `${at}[${index}]`);
      if (fault !== undefined) return fault;
    }
    return undefined;
  }
  if (properties !== undefined && isMap(value)) return firstFaultOfMap(schema, properties, value, at);
  const validator = validatorOf(schema);
  if (validator.Check(value)) return undefined;
  return `${named(at)} ${validator.Errors(value)[0]?.message ?? "is not of the documented form"}`;
}

/** Compiled once: TypeBox's interpreter takes 30 µs for a single text. */
const validators = new WeakMap<TSchema, Validator>();

function validatorOf(schema: TSchema): Validator {
  const validator = validators.get(schema) ?? Compile(schema);
  validators.set(schema, validator);
  return validator;
}

/** Of an object that is closed: every field has a place in `properties`. */
function firstFaultOfMap(
  schema: TSchema,
  properties: Readonly<Record<string, TSchema>>,
  value: Readonly<Record<string, unknown>>,
  at: string,
): string | undefined {
  const { required = [] } = schema as SchemaView;
  for (const name of required)
    if (!Object.hasOwn(value, name)) return `${named(at)} must have the property ${name}`;
  for (const name in value) {
    const property = Object.hasOwn(properties, name) ? properties[name] : undefined;
    if (property === undefined) return `${named(at)} must not have the property ${shown(name)}`;
    const fault = firstFault(property, value[name], at === "" ? name : `${at}.${name}`);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

const SHOWN_LENGTH = 64;

function shown(name: string): string {
  return name.length > SHOWN_LENGTH ? `${name.slice(0, SHOWN_LENGTH)}…` : name;
}

function named(at: string): string {
  return at === "" ? "the body" : at;
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
