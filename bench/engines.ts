// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import jsonata from "jsonata";
import { compile } from "../expressions/index.ts";
import type { Case } from "./corpus/index.ts";

export interface Engines {
  readonly engine: "compiled" | "interpreted";
  /** A value, or a promise of one. */
  readonly ours: (bag: unknown) => unknown;
  readonly theirs: (bag: unknown) => Promise<unknown>;
}

/** Both engines for one expression, each compiled once. */
export function enginesFor({ source, bindings }: Case): Engines {
  const mine = compile(source, bindings === undefined ? {} : { bindings });
  const reference = jsonata(source);
  for (const [name, value] of Object.entries(bindings ?? {})) reference.assign(name, value);
  return {
    engine: mine.engine,
    ours: mine.evaluate,
    theirs: (bag) => reference.evaluate(bag),
  };
}

/** As plain data: arrays without the flags that JSONata puts on them, objects whatever their prototype. */
export function plain(value: unknown): unknown {
  if (Array.isArray(value)) return Array.from(value, plain);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, plain(member)]));
}
