// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { FunctionDefinition } from "../definition.ts";
import { holdsText, partAt, partsOf, replacedOf } from "./fast-text.ts";
import { contains, match, matchPattern, replace, replacePattern, split } from "./searching.ts";

/** Searches of a text for another text or for a pattern. */
export const SEARCH_FUNCTIONS: readonly FunctionDefinition[] = [
  {
    name: "contains",
    signature: "<s-(sf):b>",
    callsBack: true,
    invoke: contains,
    fastPaths: [
      { kind: "pattern test" },
      {
        kind: "typed",
        types: ["string", "string"],
        run: holdsText,
        isGuarded: true,
        isTotal: true,
        gives: "boolean",
      },
    ],
    checks: { test: "part", searches: true },
  },
  {
    name: "match",
    signature: "<s-fn?:(ao)?>",
    callsBack: true,
    invoke: match,
    fastPaths: [{ kind: "pattern", values: 2, run: matchPattern }],
    checks: { meaning: "matches", test: "part" },
  },
  {
    name: "replace",
    signature: "<s-(sf)(sf)n?:s>",
    callsBack: true,
    invoke: replace,
    fastPaths: [
      { kind: "pattern", values: 3, run: replacePattern },
      { kind: "typed", types: ["string", "string", "string"], run: replacedOf, isGuarded: true },
    ],
  },
  {
    name: "split",
    signature: "<s-(sf)n?:a<s>>",
    callsBack: true,
    invoke: split,
    fastPaths: [
      { kind: "typed", types: ["string", "string"], run: partsOf, isGuarded: true },
      {
        kind: "typed",
        types: ["string", "string"],
        run: partAt,
        isGuarded: true,
        isTotal: true,
        ofItem: true,
      },
    ],
    checks: { meaning: "parts", searches: true, text: "parts" },
  },
];
