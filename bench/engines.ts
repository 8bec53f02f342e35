// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import jsonata from "jsonata";
import { compile } from "../expressions/index.ts";
import type { Case } from "./corpus/index.ts";

export interface Engines {
  readonly engine: "compiled" | "interpreted";
  /** Returns a value, or a promise of a value. */
  readonly ours: (bag: unknown) => unknown;
  readonly theirs: (bag: unknown) => Promise<unknown>;
}

/** Compiles an expression once with each engine. */
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

/** A value as plain data: arrays without JSONata's flags, and objects with an ordinary prototype. */
export function plain(value: unknown): unknown {
  if (Array.isArray(value)) return Array.from(value, plain);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, plain(member)]));
}
