// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { TSchema } from "typebox";
import { Compile, type Validator } from "typebox/schema";
import { entrySchema, viewOf } from "../../../core/documents/schema/form.ts";

/**
 * The first fault of a JSON value against a schema, such as `charges[0].limit must be integer`; undefined
 * when the value is valid.
 *
 * The check ends at the first fault, and checks a list's length before its items: a body of a megabyte with a
 * fault in each of its 400,000 items must cost no more than one with a single fault. TypeBox's own list of
 * errors visits every item.
 */
export function firstFault(schema: TSchema, value: unknown, at = ""): string | undefined {
  const { items, properties, patternProperties, anyOf } = viewOf(schema);
  if (items !== undefined && Array.isArray(value)) return firstFaultOfList(schema, items, value, at);
  if (isMap(value)) {
    if (properties !== undefined || patternProperties !== undefined)
      return firstFaultOfMap(schema, value, at);
    if (anyOf !== undefined) return firstFaultOfUnion(schema, anyOf, value, at);
  }
  return faultOfLeaf(schema, value, at);
}

function firstFaultOfList(
  schema: TSchema,
  items: TSchema,
  value: readonly unknown[],
  at: string,
): string | undefined {
  const { minItems = 0, maxItems = Number.POSITIVE_INFINITY } = viewOf(schema);
  if (value.length > maxItems)
    return `${named(at)} must not have more than ${maxItems} items, and has ${value.length}`;
  if (value.length < minItems)
    return `${named(at)} must not have fewer than ${minItems} items, and has ${value.length}`;
  for (const [index, item] of value.entries()) {
    const fault = firstFault(items, item, `${at}[${index}]`);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

function firstFaultOfMap(
  schema: TSchema,
  value: Readonly<Record<string, unknown>>,
  at: string,
): string | undefined {
  const { required = [], properties = {}, patternProperties, additionalProperties = true } = viewOf(schema);
  for (const name of required)
    if (!Object.hasOwn(value, name)) return `${named(at)} must have the property ${name}`;
  for (const name in value) {
    const isUnknown = !Object.hasOwn(properties, name) && patternProperties === undefined;
    if (isUnknown && additionalProperties === true) continue;
    const entry = entrySchema(schema, name);
    if (entry === undefined) return `${named(at)} must not have the property ${shown(name)}`;
    const fault = firstFault(entry, value[name], placeOf(at, name));
    if (fault !== undefined) return fault;
  }
  return undefined;
}

/**
 * The fault in the intended alternative: the only one for objects, or the one selected by a property such as
 * `kind`, which every alternative has.
 */
function firstFaultOfUnion(
  schema: TSchema,
  alternatives: readonly TSchema[],
  value: Readonly<Record<string, unknown>>,
  at: string,
): string | undefined {
  const objects = alternatives.filter((alternative) => viewOf(alternative).type === "object");
  const [only] = objects;
  if (only !== undefined && objects.length === 1) return firstFault(only, value, at);
  const tagOf = (alternative: TSchema, name: string) => viewOf(alternative).properties?.[name];
  const tag = Object.keys(viewOf(alternatives[0] ?? schema).properties ?? {}).find((name) =>
    alternatives.every((alternative) => isTag(tagOf(alternative, name))),
  );
  if (tag === undefined) return faultOfLeaf(schema, value, at);
  if (!Object.hasOwn(value, tag)) return `${named(at)} must have the property ${tag}`;
  const meant = alternatives.find((alternative) => {
    const word = tagOf(alternative, tag);
    return word !== undefined && faultOfLeaf(word, value[tag], at) === undefined;
  });
  return meant === undefined
    ? `${placeOf(at, tag)} must be equal to one of the allowed values`
    : firstFault(meant, value, at);
}

/** Whether a property with this schema distinguishes the alternatives of a union. */
function isTag(schema: TSchema | undefined): boolean {
  if (schema === undefined) return false;
  const { const: word, enum: words } = viewOf(schema);
  return word !== undefined || words !== undefined;
}

function faultOfLeaf(schema: TSchema, value: unknown, at: string): string | undefined {
  const validator = validatorOf(schema);
  if (validator.Check(value)) return undefined;
  return `${named(at)} ${validator.Errors(value)[1][0]?.message ?? "is not of the documented form"}`;
}

/** Compiled once per schema: TypeBox's interpreter takes 30 µs for a single text. */
const validators = new WeakMap<TSchema, Validator>();

function validatorOf(schema: TSchema): Validator {
  const validator = validators.get(schema) ?? Compile(schema);
  validators.set(schema, validator);
  return validator;
}

const SHOWN_LENGTH = 64;

function shown(name: string): string {
  return name.length > SHOWN_LENGTH ? `${name.slice(0, SHOWN_LENGTH)}…` : name;
}

function placeOf(at: string, name: string): string {
  return at === "" ? shown(name) : `${at}.${shown(name)}`;
}

function named(at: string): string {
  return at === "" ? "the body" : at;
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
