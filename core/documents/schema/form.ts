// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { TSchema } from "typebox";
import { DURATION_PATTERN, formatDurationMs, MAX_DURATION_MS } from "../../../kernel/duration.ts";
import {
  EXPRESSION_KEYWORD,
  type ExpressionMark,
  REFERENCE_KEYWORD,
  type ReferenceMark,
  type REFUSED_KEYWORD,
  type RefusedFields,
} from "../kinds/fields.ts";

/** A schema as JSON Schema, with only the keywords that the checks use. */
export interface SchemaView {
  readonly type?: string;
  readonly properties?: Readonly<Record<string, TSchema>>;
  readonly patternProperties?: Readonly<Record<string, TSchema>>;
  readonly additionalProperties?: TSchema | boolean;
  readonly required?: readonly string[];
  readonly items?: TSchema;
  readonly anyOf?: readonly TSchema[];
  readonly enum?: readonly unknown[];
  readonly const?: string | number | boolean;
  readonly pattern?: string;
  readonly format?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly exclusiveMaximum?: number;
  readonly [EXPRESSION_KEYWORD]?: ExpressionMark;
  readonly [REFERENCE_KEYWORD]?: ReferenceMark;
  readonly [FORM_KEYWORD]?: string;
  readonly [REFUSED_KEYWORD]?: RefusedFields;
}

/** Description of a field's form, for fields whose pattern is hard to read. */
export const FORM_KEYWORD = "x-form";

export function viewOf(schema: TSchema): SchemaView {
  return schema as SchemaView;
}

/** The schema of a map's entry; undefined when the map may not have the key. */
export function entrySchema(schema: TSchema, key: string): TSchema | undefined {
  const { properties, patternProperties, additionalProperties } = viewOf(schema);
  if (properties !== undefined && Object.hasOwn(properties, key)) return properties[key];
  for (const [pattern, entry] of Object.entries(patternProperties ?? {})) {
    if (new RegExp(pattern, "u").test(key)) return entry;
  }
  if (additionalProperties === false) return undefined;
  return typeof additionalProperties === "object" ? additionalProperties : ({} as TSchema);
}

/** The form of this schema's values, in words that follow "must be". */
export function formOf(schema: TSchema): string {
  const view = viewOf(schema);
  if (view[FORM_KEYWORD] !== undefined) return view[FORM_KEYWORD];
  if (view[EXPRESSION_KEYWORD] !== undefined)
    return view[EXPRESSION_KEYWORD].result === "boolean"
      ? "the text of an expression that gives true or false"
      : "the text of an expression";
  if (view[REFERENCE_KEYWORD] !== undefined) return `the name of a ${view[REFERENCE_KEYWORD].kind}`;
  if (view.anyOf !== undefined) return joined([...new Set(view.anyOf.flatMap(formsOf))]);
  if (view.enum !== undefined) return joined(view.enum.map(String));
  if (view.const !== undefined) return String(view.const);
  switch (view.type) {
    case "string":
      return formOfText(view);
    case "integer":
      return `a whole number${rangeOf(view)}`;
    case "number":
      return `a number${rangeOf(view)}`;
    case "boolean":
      return "true or false";
    case "array":
      return (view.minItems ?? 0) > 0 ? "a list that is not empty" : "a list";
    case "object":
      return "a map";
    case "null":
      return "nothing";
    default:
      return "of another form";
  }
}

/** Form of a field for a text that is a duration but too long. */
export const SHORT_DURATION = `a duration of at most ${formatDurationMs(MAX_DURATION_MS)}`;

/** Whether the schema is a duration and the value is a duration, perhaps a too long one. */
export function isLongDuration(schema: TSchema, value: unknown): boolean {
  return viewOf(schema).pattern === DURATION_PATTERN && new RegExp(DURATION_PATTERN).test(String(value));
}

/** The forms of a union's alternatives. */
function formsOf(schema: TSchema): readonly string[] {
  const { anyOf, type } = viewOf(schema);
  if (anyOf !== undefined) return anyOf.flatMap(formsOf);
  return type === "boolean" ? ["true", "false"] : [formOf(schema)];
}

function formOfText(view: SchemaView): string {
  if (view.pattern === DURATION_PATTERN) return "a duration such as 60s, 250ms or 1h30m";
  if (view.pattern !== undefined) return `text that matches ${view.pattern}`;
  if (view.format !== undefined) return `text of the format ${view.format}`;
  if (view.maxLength !== undefined) return `text of at most ${view.maxLength} characters`;
  return (view.minLength ?? 0) > 0 ? "text that is not empty" : "text";
}

function rangeOf(view: SchemaView): string {
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum } = view;
  if (minimum !== undefined && maximum !== undefined) return ` from ${minimum} to ${maximum}`;
  if (exclusiveMinimum !== undefined && maximum !== undefined)
    return ` above ${exclusiveMinimum} and at most ${maximum}`;
  if (minimum !== undefined) return ` of at least ${minimum}`;
  if (maximum !== undefined) return ` of at most ${maximum}`;
  if (exclusiveMinimum !== undefined) return ` above ${exclusiveMinimum}`;
  return exclusiveMaximum === undefined ? "" : ` below ${exclusiveMaximum}`;
}

function joined(forms: readonly string[]): string {
  return forms.length < 2 ? forms.join("") : `${forms.slice(0, -1).join(", ")} or ${forms.at(-1)}`;
}
