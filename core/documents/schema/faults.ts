// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { TSchema } from "typebox";
import Value from "typebox/value";
import { isSecret } from "../../hooks/secrets.ts";
import { suggest } from "../../../kernel/suggest.ts";
import { REFUSED_KEYWORD } from "../kinds/fields.ts";
import { entrySchema, formOf, isLongDuration, SHORT_DURATION, viewOf } from "./form.ts";
import type { DocumentPath } from "../yaml/places.ts";

/** A way in which a value does not satisfy its schema. */
export interface SchemaFault {
  readonly kind: "unknown" | "missing" | "invalid";
  /** Path of the faulty value; for `missing`, of the map that lacks the field. */
  readonly path: DocumentPath;
  /** Name of the missing field. */
  readonly field?: string;
  readonly message: string;
  readonly suggestion?: string;
}

/**
 * All faults of a value, each once with its path; empty exactly when the value satisfies the schema. TypeBox
 * decides that; its own error list stops at eight errors and has errors for each alternative of a union, so
 * this module explains.
 *
 * @param path Path of the value in its document, for messages.
 */
export function schemaFaults(schema: TSchema, value: unknown, path: DocumentPath): readonly SchemaFault[] {
  // A plain boolean: as a type guard it would narrow `value` to never.
  const fits: boolean = Value.Check(schema, value);
  if (fits) return [];
  const view = viewOf(schema);
  let faults: readonly SchemaFault[];
  if (view.anyOf !== undefined) faults = faultsOfUnion(schema, view.anyOf, value, path);
  else if (view.type === "object" && isMap(value)) faults = faultsOfMap(schema, value, path);
  else if (view.type === "array" && Array.isArray(value) && view.items !== undefined) {
    const { items } = view;
    faults = value.flatMap((item: unknown, index) => schemaFaults(items, item, [...path, index]));
  } else return [invalid(schema, value, path)];
  return faults.length > 0 ? faults : [whole(schema, value, path)];
}

/** The path as messages write it: `spec.overrides[0].limit`. */
function pathName(path: DocumentPath): string {
  let name = "";
  for (const step of path) {
    if (typeof step === "number") name += `[${step}]`;
    else if (/^[A-Za-z_][\w-]*$/.test(step)) name += name === "" ? step : `.${step}`;
    else name += `[${JSON.stringify(step)}]`;
  }
  return name === "" ? "The document" : name;
}

function faultsOfMap(
  schema: TSchema,
  value: Readonly<Record<string, unknown>>,
  path: DocumentPath,
): readonly SchemaFault[] {
  const faults: SchemaFault[] = [];
  const { properties = {}, required = [], [REFUSED_KEYWORD]: refused = {} } = viewOf(schema);
  const meant = new Set<string>();
  for (const [key, entry] of Object.entries(value)) {
    const expected = entrySchema(schema, key);
    if (expected !== undefined) {
      faults.push(...schemaFaults(expected, entry, [...path, key]));
      continue;
    }
    if (Object.hasOwn(refused, key)) {
      const message = `${pathName([...path, key])} is not supported: ${refused[key]}`;
      faults.push({ kind: "unknown", path: [...path, key], message });
      continue;
    }
    const absent = Object.keys(properties).filter((name) => !Object.hasOwn(value, name));
    const suggestion = suggest(key, absent);
    if (suggestion !== undefined) meant.add(suggestion);
    faults.push({
      kind: "unknown",
      path: [...path, key],
      message: `${pathName(path)} has no field ${JSON.stringify(key)}`,
      ...(suggestion === undefined ? {} : { suggestion }),
    });
  }
  for (const name of required) {
    // A misspelt field is reported only as unknown, not as missing too.
    if (Object.hasOwn(value, name) || meant.has(name)) continue;
    const field = properties[name];
    const form = field === undefined ? "" : `: ${formOf(field)}`;
    const message = `${pathName(path)} lacks the field ${JSON.stringify(name)}${form}`;
    faults.push({ kind: "missing", path, field: name, message });
  }
  return faults;
}

/** Faults of a union: those of the alternative with the value's own type. */
function faultsOfUnion(
  schema: TSchema,
  alternatives: readonly TSchema[],
  value: unknown,
  path: DocumentPath,
): readonly SchemaFault[] {
  const meant = alternatives
    .filter((alternative) => ofSameType(alternative, value))
    .map((alternative) => schemaFaults(alternative, value, path))
    .toSorted((a, b) => a.length - b.length);
  const nearest = meant[0];
  return nearest !== undefined && (meant.length === 1 || typeof value === "object")
    ? nearest
    : [invalid(schema, value, path)];
}

function ofSameType(schema: TSchema, value: unknown): boolean {
  const { type, anyOf } = viewOf(schema);
  if (anyOf !== undefined) return anyOf.some((alternative) => ofSameType(alternative, value));
  if (type === "integer") return typeof value === "number";
  if (type === "array") return Array.isArray(value);
  if (type === "null") return value === null;
  if (type === "object") return isMap(value);
  return typeof value === type;
}

function invalid(schema: TSchema, value: unknown, path: DocumentPath): SchemaFault {
  const shown = isSecret(schema) ? "" : `, not ${shownValue(value)}`;
  const form = isLongDuration(schema, value) ? SHORT_DURATION : formOf(schema);
  const message = `${pathName(path)} must be ${form}${shown}`;
  const suggestion = typeof value === "string" ? suggest(value, wordsOf(schema)) : undefined;
  return { kind: "invalid", path, message, ...(suggestion === undefined ? {} : { suggestion }) };
}

/** A fault of a whole map or list, such as too few entries, in TypeBox's words. */
function whole(schema: TSchema, value: unknown, path: DocumentPath): SchemaFault {
  if (Array.isArray(value) && value.length === 0) return invalid(schema, value, path);
  const message = Value.Errors(schema, value)[0]?.message ?? "is not of the right form";
  return { kind: "invalid", path, message: `${pathName(path)} ${message}` };
}

function wordsOf(schema: TSchema): readonly string[] {
  const { anyOf = [], enum: words = [], const: word } = viewOf(schema);
  return [...words, word, ...anyOf.flatMap(wordsOf)].filter((each) => typeof each === "string");
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

const SHOWN_LENGTH = 40;

function shownValue(value: unknown): string {
  if (value === null || value === undefined) return "nothing";
  if (Array.isArray(value)) return value.length === 0 ? "an empty list" : "a list";
  if (typeof value === "object") return "a map";
  if (typeof value === "string" && value.length > SHOWN_LENGTH)
    return shownValue(`${value.slice(0, SHOWN_LENGTH - 1)}…`);
  return typeof value === "number" ? `${value}` : JSON.stringify(value);
}
