// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { perCharacter } from "../costs.ts";
import type { FunctionDefinition } from "../definition.ts";
import type { TypedPath } from "../fast-path.ts";
import { numberOf, sumOf } from "./fast-numbers.ts";

/** Numbers and arithmetic. */
export const NUMBER_FUNCTIONS: readonly FunctionDefinition[] = [
  {
    name: "number",
    signature: "<(nsb)-:n>",
    cost: perCharacter(0.5),
    fastPaths: [{ kind: "typed", types: ["string"], run: numberOf }],
    checks: { meaning: "numeral" },
  },
  {
    name: "abs",
    signature: "<n-:n>",
    fastPaths: [ofNumber((value) => `Math.abs(${value})`)],
  },
  {
    name: "floor",
    signature: "<n-:n>",
    fastPaths: [ofNumber((value) => `Math.floor(${value})`)],
  },
  {
    name: "ceil",
    signature: "<n-:n>",
    fastPaths: [ofNumber((value) => `Math.ceil(${value})`)],
  },
  { name: "round", signature: "<n-n?:n>" },
  { name: "power", signature: "<n-n:n>" },
  { name: "sqrt", signature: "<n-:n>" },
  { name: "random", signature: "<:n>", varies: "by chance" },
  {
    name: "sum",
    signature: "<a<n>:n>",
    fastPaths: [{ kind: "typed", types: ["array"], run: sumOf }],
  },
  { name: "max", signature: "<a<n>:n?>" },
  { name: "min", signature: "<a<n>:n?>" },
  { name: "average", signature: "<a<n>:n?>" },
];

function ofNumber(write: (value: string) => string): TypedPath {
  return { kind: "typed", types: ["number"], code: ([value = ""]) => write(value), isTotal: true };
}
