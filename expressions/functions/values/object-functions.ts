// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { FunctionDefinition } from "../definition.ts";
import { each, sift } from "../lists/collections.ts";
import { keys, lookUp, merge, spread } from "./walks.ts";

/** Objects and their members. */
export const OBJECT_FUNCTIONS: readonly FunctionDefinition[] = [
  { name: "keys", signature: "<x-:x?>", invoke: keys },
  {
    name: "lookup",
    signature: "<x-s:x?>",
    invoke: lookUp,
    checks: { meaning: "member" },
  },
  { name: "spread", signature: "<x-:x?>", invoke: spread },
  { name: "merge", signature: "<a<o>:o>", invoke: merge },
  { name: "each", signature: "<o-f:x?>", callsBack: true, invoke: each },
  // JSONata marks the function parameter optional, but fails without it: a single argument is the function.
  { name: "sift", signature: "<o-f?:x?>", contextBelow: 2, callsBack: true, invoke: sift },
];
