// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { toText } from "../../runtime/operators.ts";
import { perCharacter } from "../costs.ts";
import type { FunctionDefinition } from "../definition.ts";
import type { TypedPath } from "../fast-path.ts";
import { afterOf, beforeOf, joinedOf, lengthOf, substringOf, trimOf } from "./fast-text.ts";
import { join, length, pad, substring, substringAfter, substringBefore } from "./plain-text.ts";

/** Functions of a text alone: length, case, parts. */
export const TEXT_FUNCTIONS: readonly FunctionDefinition[] = [
  {
    name: "string",
    signature: "<x-b?:s>",
    invoke: (guard, [value, pretty]) => toText(guard, value, pretty === true),
    fastPaths: [{ kind: "text" }],
    checks: { text: "same" },
  },
  {
    name: "length",
    signature: "<s-:n>",
    invoke: length,
    fastPaths: [ofShortText({ run: lengthOf })],
  },
  {
    name: "lowercase",
    signature: "<s-:s>",
    fastPaths: [ofShortText({ code: ([text]) => `${text}.toLowerCase()` })],
    checks: { text: "lower" },
  },
  {
    name: "uppercase",
    signature: "<s-:s>",
    fastPaths: [ofShortText({ code: ([text]) => `${text}.toUpperCase()` })],
    checks: { text: "upper" },
  },
  {
    name: "trim",
    signature: "<s-:s>",
    cost: perCharacter(1),
    fastPaths: [ofShortText({ run: trimOf })],
    checks: { text: "same" },
  },
  { name: "pad", signature: "<s-ns?:s>", invoke: pad },
  {
    name: "substring",
    signature: "<s-nn?:s>",
    invoke: substring,
    fastPaths: [
      { kind: "typed", types: ["string", "number"], run: substringOf, isTotal: true, isShort: true },
      {
        kind: "typed",
        types: ["string", "number", "number"],
        run: substringOf,
        isTotal: true,
        isShort: true,
      },
    ],
    checks: { text: "slice" },
  },
  {
    name: "substringBefore",
    signature: "<s-s:s>",
    invoke: substringBefore,
    fastPaths: [{ kind: "typed", types: ["string", "string"], run: beforeOf }],
    checks: { text: "before", searches: true },
  },
  {
    name: "substringAfter",
    signature: "<s-s:s>",
    invoke: substringAfter,
    fastPaths: [{ kind: "typed", types: ["string", "string"], run: afterOf }],
    checks: { text: "after", searches: true },
  },
  {
    name: "join",
    signature: "<a<s>s?:s>",
    invoke: join,
    fastPaths: [{ kind: "typed", types: ["array", "string"], run: joinedOf, isGuarded: true }],
  },
];

function ofShortText(given: Pick<TypedPath, "run" | "code">): TypedPath {
  return { kind: "typed", types: ["string"], isTotal: true, isShort: true, ...given };
}
