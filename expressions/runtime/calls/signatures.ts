// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import jsonata from "jsonata";
import { isFunction } from "./function-marks.ts";

/** A function's signature, such as `<s-s:b>`: what its arguments may be. */
export interface Signature {
  readonly definition: string;
  /**
   * The arguments as the function takes them: a missing one from the context, a single value as an array.
   * @throws an error with T0410, T0411 or T0412.
   */
  validate(values: readonly unknown[], context: unknown): readonly unknown[];
}

type Validate = (values: readonly unknown[], context: unknown) => readonly unknown[];

/** Of a text, or of a signature that the parser made. */
export function signatureOf(
  given: string | { readonly definition: string; readonly validate?: unknown },
): Signature {
  const parsed = typeof given === "string" ? parseSignature(given) : given;
  const slowly = (parsed.validate as Validate).bind(parsed);
  const parameters = plainParameters(parsed.definition);
  return {
    definition: parsed.definition,
    validate(values, context) {
      // Most calls give each parameter what it asks for: no need to match a pattern then.
      return parameters !== undefined && fits(parameters, values) ? values : slowly(values, context);
    },
  };
}

function fits(parameters: readonly Parameter[], values: readonly unknown[]): boolean {
  if (values.length > parameters.length) return false;
  // With all of them given there is no question which one has no value.
  const areAll = values.length === parameters.length;
  for (let index = 0; index < parameters.length; index++) {
    const { accepts, optional, mayMiss } = parameters[index] as Parameter;
    const value = values[index];
    if (index >= values.length ? !optional : !accepts(value) && !(areAll && mayMiss && value === undefined))
      return false;
  }
  return true;
}

type Check = (value: unknown) => boolean;

interface Parameter {
  readonly accepts: Check;
  readonly optional: boolean;
  /** Whether a value that is absent will do; a function's will not. */
  readonly mayMiss: boolean;
}

/** By the letter: values that go through as they are. */
const CHECKS: Readonly<Record<string, Check>> = {
  s: (value) => typeof value === "string",
  n: (value) => typeof value === "number",
  b: (value) => typeof value === "boolean",
  f: isFunction,
  a: Array.isArray,
  o: (value) => typeof value === "object" && value !== null && !Array.isArray(value) && !isFunction(value),
  j: (value) => value !== undefined && !isFunction(value),
  x: (value) => value !== undefined,
};

/** The parameters of a signature, as far as they can be checked one by one; undefined when one cannot. */
function plainParameters(definition: string): readonly Parameter[] | undefined {
  const text = /^<(.*?)(?::[^:]*)?>$/.exec(definition)?.[1];
  if (text === undefined) return undefined;
  const parameters: Parameter[] = [];
  // A letter or a choice of letters, what items are, and whether it may be left out.
  const pattern = /(?:([a-z])|\(([a-z]+)\))(?:<([a-z])>|<[^<>]*>)?(-?)(\??)/y;
  while (pattern.lastIndex < text.length) {
    const [, letter, choice, items, , optional] = pattern.exec(text) ?? [];
    const accepts = letter === undefined ? oneOf(choice) : CHECKS[letter];
    if (accepts === undefined) return undefined;
    const ofItems = letter === "a" && items !== undefined ? CHECKS[items] : undefined;
    parameters.push({
      accepts: ofItems === undefined ? accepts : (value) => Array.isArray(value) && value.every(ofItems),
      optional: optional === "?",
      mayMiss: letter !== "f",
    });
  }
  return parameters;
}

function oneOf(letters: string | undefined): Check | undefined {
  const checks = (letters ?? "").split("").map((letter) => CHECKS[letter]);
  if (checks.length === 0 || checks.includes(undefined)) return undefined;
  return (value) => checks.some((check) => (check as Check)(value));
}

/** The parsed form of a signature, as the `jsonata` package keeps it. */
export function parseSignature(definition: string): {
  readonly definition: string;
  readonly validate?: unknown;
} {
  const lambda = jsonata(`function()${definition}{0}`).ast() as unknown as {
    readonly signature: { readonly definition: string };
  };
  return lambda.signature;
}
