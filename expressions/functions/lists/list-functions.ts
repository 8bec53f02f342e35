// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { append } from "../../runtime/sequence.ts";
import type { FunctionDefinition } from "../definition.ts";
import { distinct } from "../values/walks.ts";
import { filter, filterDirectly, map, mapDirectly, reduce, single, sort } from "./collections.ts";
import { distinctOf } from "./fast-lists.ts";

/** Lists and their items. */
export const LIST_FUNCTIONS: readonly FunctionDefinition[] = [
  {
    name: "count",
    signature: "<a:n>",
    takesAbsent: true,
    keepsArguments: true,
    fastPaths: [{ kind: "count" }],
    checks: { meaning: "count" },
  },
  {
    name: "append",
    signature: "<xx:x?>",
    takesAbsent: true,
    invoke: (guard, [left, right]) => append(guard, left, right),
    fastPaths: [{ kind: "untyped", run: append }],
  },
  {
    name: "distinct",
    signature: "<x:x?>",
    invoke: distinct,
    fastPaths: [{ kind: "typed", types: ["array"], run: distinctOf }],
  },
  { name: "reverse", signature: "<a:a>", keepsArguments: true },
  { name: "shuffle", signature: "<a:a>", varies: "by chance", keepsArguments: true },
  { name: "zip", signature: "<a+:a>", takesAbsent: true, keepsArguments: true },
  { name: "sort", signature: "<af?:a>", callsBack: true, invoke: sort },
  {
    name: "map",
    signature: "<af:x?>",
    callsBack: true,
    invoke: map,
    fastPaths: [{ kind: "lambda", run: mapDirectly }],
  },
  {
    name: "filter",
    signature: "<af:x?>",
    callsBack: true,
    invoke: filter,
    fastPaths: [{ kind: "lambda", run: filterDirectly }],
  },
  { name: "single", signature: "<af?:x?>", callsBack: true, invoke: single },
  { name: "reduce", signature: "<afj?:x?>", callsBack: true, invoke: reduce },
];
