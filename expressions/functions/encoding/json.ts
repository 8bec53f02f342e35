// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { isFunctionMark } from "../../runtime/calls/function-marks.ts";
import type { Guard } from "../../runtime/guard.ts";
import { plainValue } from "../../runtime/plain-value.ts";
import { isFunction } from "../../runtime/calls/function-marks.ts";
import { weigh } from "../../runtime/values.ts";
import { functionError } from "../error-codes.ts";
import { perCharacter } from "../costs.ts";
import type { FunctionDefinition } from "../definition.ts";

/** Longest JSON text, in UTF-16 units: four times the common limit of proxies for all headers together. */
const MAX_LENGTH = 262_144;
const MAX_DEPTH = 64;

function jsonParse(text: string | undefined): unknown {
  if (text === undefined) return undefined;
  if (text.length > MAX_LENGTH)
    throw functionError("D4008", `$jsonParse of more than ${MAX_LENGTH} characters`);
  if (depthOf(text) > MAX_DEPTH)
    throw functionError("D4008", `$jsonParse of what is nested more than ${MAX_DEPTH} deep`);
  try {
    // An escape in the text can spell a mark.
    return /_jsonata_|\\u/.test(text) ? JSON.parse(text, withoutMarks) : JSON.parse(text);
  } catch {
    return undefined;
  }
}

function withoutMarks(key: string, value: unknown): unknown {
  return isFunctionMark(key, value) ? undefined : value;
}

/**
 * Depth of the brackets outside strings. The depth of malformed JSON is meaningless, but JSON.parse refuses
 * it.
 */
function depthOf(text: string): number {
  let depth = 0;
  let deepest = 0;
  let quoted = false;
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (character === '"') quoted = !quoted;
    else if (quoted) {
      if (character === "\\") at++;
    } else if (character === "[" || character === "{") deepest = Math.max(deepest, ++depth);
    else if (character === "]" || character === "}") depth--;
  }
  return deepest;
}

function jsonStringify(value: unknown): string | undefined {
  const plain = plainValue(value);
  return plain === undefined ? undefined : JSON.stringify(plain);
}

/**
 * $jsonStringify for compiled code, charged to the guard: with all digits of numbers, and without functions.
 */
function stringify(guard: Guard, [value]: readonly unknown[]): unknown {
  if (value === undefined || isFunction(value)) return undefined;
  return JSON.stringify(weigh(guard, value) ? plainValue(value) : value, (_, member: unknown) =>
    isFunction(member) ? undefined : member,
  );
}

export const JSON_FUNCTIONS: readonly FunctionDefinition[] = [
  {
    name: "jsonParse",
    signature: "<s-:x>",
    cost: perCharacter(1),
    implementation: jsonParse,
    docs: {
      summary: `The value of a JSON text; no value when it is malformed. Members that JSONata would take for its functions are left out. Fails beyond ${MAX_LENGTH} characters or a depth of ${MAX_DEPTH}.`,
      parameters: ["text"],
      examples: [
        { expression: '$jsonParse("{\\"plan\\":\\"gold\\"}").plan', result: "gold" },
        { expression: '$jsonParse("{plan")', result: undefined },
        {
          expression: '$jsonParse($base64urlDecode($split("e30.eyJzdWIiOiJhZGEifQ.c2ln", ".")[1])).sub',
          result: "ada",
        },
      ],
    },
  },
  {
    name: "jsonStringify",
    signature: "<x-:s>",
    implementation: jsonStringify,
    invoke: stringify,
    docs: {
      summary: "A value as JSON text, with all digits of its numbers, which $string rounds to 15.",
      parameters: ["value"],
      examples: [{ expression: '$jsonStringify({"a": [1, "b", null]})', result: '{"a":[1,"b",null]}' }],
    },
  },
];
