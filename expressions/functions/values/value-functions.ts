// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { FunctionDefinition } from "../definition.ts";
import { boolean, clone, not } from "./walks.ts";

/** Functions of values of any type: presence and truth. */
export const VALUE_FUNCTIONS: readonly FunctionDefinition[] = [
  {
    name: "boolean",
    signature: "<x-:b>",
    invoke: boolean,
    fastPaths: [{ kind: "truth", negated: false }],
    checks: { meaning: "truth" },
  },
  {
    name: "not",
    signature: "<x-:b>",
    invoke: not,
    fastPaths: [{ kind: "truth", negated: true }],
    checks: { meaning: "negation" },
  },
  {
    name: "exists",
    signature: "<x:b>",
    takesAbsent: true,
    keepsArguments: true,
    fastPaths: [{ kind: "existence" }],
    checks: { meaning: "existence" },
  },
  { name: "type", signature: "<x:s>", keepsArguments: true },
  { name: "clone", signature: "<(oa)-:x>", invoke: clone },
  { name: "error", signature: "<s?:x>", takesAbsent: true },
  { name: "assert", signature: "<bs?:x?>", takesAbsent: true },
];
