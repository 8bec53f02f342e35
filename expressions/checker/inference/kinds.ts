// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { AttributeDeclaration } from "../../manifest/manifest.ts";
import type { AttributeType } from "../../manifest/manifest-spec.ts";
import type { DataPath } from "../../data.ts";
import type { Kind } from "../../functions/function-type.ts";
import { formOf } from "../forms/form-of.ts";
import type { TextForm } from "../forms/text-form.ts";

/** The static type of a value: all that is known of the value without evaluating the expression. */
export interface Shape {
  /** The kinds that the value can have when it is present. */
  readonly kinds: ReadonlySet<Kind>;
  /** Whether the value may be absent. */
  readonly optional: boolean;
  /** The value's path in the bag; absent for a computed value. */
  readonly place?: DataPath;
  readonly declaration?: AttributeDeclaration;
  /** The value, when the expression's text alone decides it. */
  readonly constant?: string | number | boolean | null;
  /** The kinds of an array's items, if known. */
  readonly items?: ReadonlySet<Kind>;
  /** The shape of each item of an array constructor. */
  readonly elements?: readonly Shape[];
  /** The texts that the value, or a list's items, can be; absent when nothing is known of them. */
  readonly form?: TextForm;
  /** The members that an object returned by a function always has. */
  readonly members?: ReadonlyMap<string, Shape>;
  /** The regular expression, when the value is one. */
  readonly pattern?: RegExp;
}

const EVERY_KIND: ReadonlySet<Kind> = new Set<Kind>([
  "string",
  "number",
  "boolean",
  "null",
  "array",
  "object",
  "function",
]);

/** A value of any kind, which may be absent. */
export const ANYTHING: Shape = { kinds: EVERY_KIND, optional: true };

/** The shape of a value that is never absent. */
export function always(...kinds: readonly Kind[]): Shape {
  return { kinds: new Set(kinds), optional: false };
}

const KIND_OF_TYPE: Readonly<Record<AttributeType, Kind | undefined>> = {
  STRING: "string",
  INT64: "number",
  DOUBLE: "number",
  BOOL: "boolean",
  TIMESTAMP: "string",
  IP_ADDRESS: "string",
  EMAIL_ADDRESS: "string",
  URI: "string",
  DNS_NAME: "string",
  DURATION: "number",
  STRING_MAP: "object",
  STRING_LIST: "array",
  ANY: undefined,
};

export function shapeOfAttribute(declaration: AttributeDeclaration, place: DataPath): Shape {
  const kind = KIND_OF_TYPE[declaration.type];
  const form = formOf(declaration);
  return {
    kinds: kind === undefined ? EVERY_KIND : new Set([kind]),
    optional: declaration.optional,
    place,
    declaration,
    ...(form === undefined ? {} : { form }),
    ...(declaration.type === "STRING_LIST" ? { items: new Set<Kind>(["string"]) } : {}),
  };
}

/** Whether nothing is known of the value. */
export function isAnything({ kinds }: Shape): boolean {
  return kinds.size === EVERY_KIND.size;
}

/** Whether the value, if present, can only be of `kind`. */
export function isOnly({ kinds }: Shape, kind: Kind): boolean {
  return kinds.size === 1 && kinds.has(kind);
}

export function overlap(a: ReadonlySet<Kind>, b: ReadonlySet<Kind>): boolean {
  return [...a].some((kind) => b.has(kind));
}

/** The shape of a value that has either of two shapes. */
export function either(a: Shape, b: Shape): Shape {
  return { kinds: new Set([...a.kinds, ...b.kinds]), optional: a.optional || b.optional };
}

const NOUNS: Readonly<Record<Kind, string>> = {
  string: "text",
  number: "a number",
  boolean: "true or false",
  null: "null",
  array: "a list",
  object: "an object",
  function: "a function",
};

/** `text`, `a number or a list`, for messages. */
export function nounOf(kinds: Iterable<Kind>): string {
  return [...kinds].map((kind) => NOUNS[kind]).join(" or ");
}
