// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { ENFORCEMENT_MODES } from "../../../kernel/enforcement-mode.ts";
import { MapOf } from "./map-of.ts";
import Type, {
  type TObject,
  type TProperties,
  type TSchemaOptions,
  type TString,
  type TUnsafe,
} from "typebox";
import { DURATION_PATTERN, parseDurationMs } from "../../../kernel/duration.ts";
import type { Phase } from "../../../expressions/manifest/manifest-spec.ts";

/**
 * Field types that documents share. Two of them carry a mark in the schema, so that generic code checks them
 * for all kinds: `x-expression` (compile the expression, check its attributes and phase) and `x-reference`
 * (the named document must exist).
 */

/** The purpose of an expression in a document; found by walking a schema along a value. */
export interface ExpressionMark {
  readonly phase: Phase;
  /** `boolean`: a condition. `any`: any value. */
  readonly result: "boolean" | "any";
  /** A field of the same spec: where it is present, the phase is `response`. */
  readonly responseWith?: string;
}

/** The kind of document that a field names; written `name`, or `namespace/name` for another namespace. */
export interface ReferenceMark {
  readonly kind: string;
}

/** Fields of an object that are refused, each with the reason and what to write instead, as the end of a sentence. */
export type RefusedFields = Readonly<Record<string, string>>;

export const REFUSED_KEYWORD = "x-refused";
export const EXPRESSION_KEYWORD = "x-expression";
export const REFERENCE_KEYWORD = "x-reference";

/** An object schema that refuses unknown fields. */
export function Closed<P extends TProperties>(properties: P, options: TSchemaOptions = {}): TObject<P> {
  return Type.Object(properties, { additionalProperties: false, ...options }) as TObject<P>;
}

/** A JSONata expression over the attribute bag. */
export function Expression(mark: ExpressionMark, description: string): TString {
  return Type.String({ minLength: 1, description, [EXPRESSION_KEYWORD]: mark });
}

/** A map from names to expressions: labels, dimensions, log variables. */
export function ExpressionMap(phase: Phase, description: string) {
  return MapOf(ExpressionOrLiteral(phase, "An expression, or a literal number or boolean."), {
    description,
  });
}

/** An expression, or a literal number or boolean. */
export function ExpressionOrLiteral(
  phase: Phase,
  description: string,
  options: Pick<ExpressionMark, "responseWith"> = {},
) {
  const mark = { phase, result: "any", ...options } as const;
  return Type.Union([Expression(mark, description), Type.Number(), Type.Boolean()], { description });
}

export function Reference(kind: string, description: string): TString {
  return Type.String({ minLength: 1, description, [REFERENCE_KEYWORD]: { kind } satisfies ReferenceMark });
}

/** A duration such as `60s`, `250ms` or `1h30m`; at most MAX_DURATION_MS. */
export function Duration(description: string, options: { readonly default?: string } = {}): TString {
  const text = Type.String({ pattern: DURATION_PATTERN, description, ...options });
  return Type.Refine(text, (value) => parseDurationMs(value) !== undefined);
}

/** An enumeration; editors complete its values, and a typo gets a "did you mean". */
export function Choice<const T extends string>(
  values: readonly T[],
  description: string,
  options: { readonly default?: NoInfer<T> } = {},
): TUnsafe<T> {
  return Type.Unsafe<T>({ type: "string", enum: [...values], description, ...options });
}

export const ERROR_POLICIES = ["deny", "allow"] as const;

/** `enforce` acts on the decision; `shadow` decides, counts and logs, but never acts. */
export function Mode() {
  return Type.Optional(
    Choice(ENFORCEMENT_MODES, "enforce (default), or shadow: decide, count and log, but never act."),
  );
}

/** The field onError: the decision when the document cannot be evaluated. */
export function OnError() {
  return Type.Optional(
    Choice(
      ERROR_POLICIES,
      "What it means for a governed request that this document could not be decided, because an expression failed or " +
        "the mixer could not be reached: deny (default) or allow.",
    ),
  );
}

export function Match(phase: Phase) {
  return Type.Optional(
    Expression(
      { phase, result: "boolean" },
      "The requests that this document applies to; all requests when absent.",
    ),
  );
}

export function Handlers() {
  return Type.Array(Reference("Handler", "A Handler that receives these instances."), {
    minItems: 1,
    description: "The Handlers that receive the instances.",
  });
}
