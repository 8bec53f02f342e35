// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import jsonata from "jsonata";
import { compile } from "../../../expressions/index.ts";

/** What came of one evaluation, in a form in which two engines can be compared. */
export type Outcome =
  | { readonly kind: "value"; readonly value: unknown }
  | { readonly kind: "error"; readonly fault: Fault };

export interface Fault {
  /** JSONata's code; undefined where the engine broke instead of reporting. */
  readonly code: string | undefined;
  readonly position: number | undefined;
  readonly token: string | undefined;
  /** The error's own fields, for cases that name some of them. */
  readonly fields: Readonly<Record<string, unknown>>;
}

export interface RunLimits {
  readonly depth?: number | undefined;
  readonly timeMs?: number | undefined;
  readonly sequence?: number | undefined;
}

type Bindings = Readonly<Record<string, unknown>>;

export interface OurOutcome {
  readonly outcome: Outcome;
  /** undefined where the source did not parse. */
  readonly engine: "compiled" | "interpreted" | undefined;
}

/** What our engine makes of it. */
export async function ourOutcome(
  source: string,
  input: unknown,
  bindings: Bindings,
  { depth, timeMs, sequence }: RunLimits = {},
): Promise<OurOutcome> {
  let engine: OurOutcome["engine"];
  try {
    const expression = compile(source, {
      limits: {
        ...(depth === undefined ? {} : { depth }),
        ...(timeMs === undefined ? {} : { timeMs }),
        ...(sequence === undefined ? {} : { sequence }),
      },
    });
    engine = expression.engine;
    const value = expression.evaluate(input, bindings);
    return { engine, outcome: valueOutcome(value instanceof Promise ? await value : value) };
  } catch (error) {
    return { engine, outcome: faultOutcome(error) };
  }
}

/** What the reference implementation makes of it. */
export async function referenceOutcome(
  source: string,
  input: unknown,
  bindings: Bindings,
  { depth, timeMs, sequence }: RunLimits = {},
): Promise<Outcome> {
  try {
    const options = {
      ...(depth === undefined ? {} : { stack: depth }),
      ...(timeMs === undefined ? {} : { timeout: timeMs }),
      ...(sequence === undefined ? {} : { sequence }),
    };
    return valueOutcome(await jsonata(source, options).evaluate(input, { ...bindings }));
  } catch (error) {
    return faultOutcome(error);
  }
}

export const FUNCTION = "[a function]";

const valueOutcome = (value: unknown): Outcome => ({ kind: "value", value: plain(value, 0) });

/** No result that is compared is nested deeper; one that is contains itself. */
const NESTING_LIMIT = 500;

/** The value without the marks that engines leave on arrays, and with every function the same. */
function plain(value: unknown, depth: number): unknown {
  if (depth > NESTING_LIMIT) return "[nested too deep]";
  if (typeof value === "function") return FUNCTION;
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return Array.from(value, (item) => plain(item, depth + 1));
  if (isFunctionObject(value)) return FUNCTION;
  if (value instanceof RegExp) return FUNCTION;
  const copy: Record<string, unknown> = Object.create(null);
  for (const [key, item] of Object.entries(value)) copy[key] = plain(item, depth + 1);
  return copy;
}

function isFunctionObject(value: object): boolean {
  return "_jsonata_lambda" in value || "_jsonata_function" in value;
}

function faultOutcome(error: unknown): Outcome {
  const fields = (typeof error === "object" && error !== null ? error : {}) as Record<string, unknown>;
  const { code, position, token } = fields;
  return {
    kind: "error",
    fault: {
      code: typeof code === "string" ? code : undefined,
      position: typeof position === "number" ? position : undefined,
      token: typeof token === "string" ? token : undefined,
      fields: { ...fields, ...(error instanceof Error ? { message: error.message } : {}) },
    },
  };
}
