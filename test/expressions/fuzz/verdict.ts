// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { DEFAULT_LIMITS } from "../../../expressions/public/limits.ts";
import { type Fault, type Outcome, type Prepared, prepareOurs, prepareReference } from "../suite/outcome.ts";
import { referenceInTurn } from "../suite/reference-in-turn.ts";
import type { FuzzCase } from "./fuzz-case.ts";
import { inputText, type Json } from "./input.ts";
import { render } from "./tree.ts";
import { OUTER_BINDINGS } from "./vocabulary.ts";

/**
 * Kind of a divergence. Hard: different values, different codes, one engine fails and the other does not, or
 * ours writes to its input. Soft: our result equals that of the reference when it evaluates the items of an
 * array in turn; the codes are equal but the position, token or message differ; or the reference fails
 * without a code, so that there is no result to compare.
 */
export type Difference =
  | "value"
  | "order of keys"
  | "failure"
  | "code"
  | "input changed"
  | "ours breaks"
  | "reference breaks"
  | "order of evaluation"
  | "position"
  | "token"
  | "message";

export const SOFT: ReadonlySet<Difference> = new Set([
  "reference breaks",
  "order of evaluation",
  "position",
  "token",
  "message",
]);

export interface Verdict {
  readonly difference: Difference;
  /** The codes or types that distinguish the divergence from others of its kind. */
  readonly detail: string;
  readonly input: Json;
  /** Number of earlier evaluations of the same expression. */
  readonly earlierRuns: number;
  readonly ours: Outcome;
  readonly reference: Outcome;
}

/** Verdicts on one case, one for each input on which the engines diverge. */
export interface Judgement {
  readonly evaluations: number;
  readonly discarded: number;
  readonly verdicts: readonly Verdict[];
}

/**
 * Limits of the reference. It stops a runaway early and our engine later, so that only a runaway that the
 * reference misses is reported. Without a sequence limit: with one the reference adds a property to each
 * sequence, which results then show.
 */
const REFERENCE_LIMITS = { depth: 150, timeMs: 100, matches: 1_000 };
const OUR_LIMITS = { depth: 1_500, timeMs: 2_000 };

/** The reference's guard codes: stack, time, range and sequence. */
const GUARD_CODES: ReadonlySet<string | undefined> = new Set(["D1011", "D1012", "D2014", "D2015"]);

/** Whether a guard stopped the evaluation; $eval wraps the guard's error in its own. */
function wasGuarded({ code, innerCode }: Fault): boolean {
  return GUARD_CODES.has(code) || (code === "D3121" && GUARD_CODES.has(innerCode));
}

export async function judge(
  { expression, inputs }: FuzzCase,
  onExpression?: (source: string) => void,
): Promise<Judgement> {
  const source = render(expression);
  onExpression?.(source);
  const reference = prepareReference(source, REFERENCE_LIMITS);
  const ours = prepareOurs(source, OUR_LIMITS);
  const verdicts: Verdict[] = [];
  let discarded = 0;
  // A source that does not parse gives the same outcome on every input.
  const runs = reference.engine === undefined && ours.engine === undefined ? inputs.slice(0, 1) : inputs;
  for (const [earlierRuns, input] of runs.entries()) {
    let verdict = await judgeInput(source, reference, ours, input, earlierRuns);
    // A retry: if a picture gives a part of a time, the clock completes it, and may have advanced between the
    // engines.
    if (typeof verdict === "object" && verdict.difference === "value")
      verdict = await judgeInput(source, reference, ours, input, earlierRuns);
    if (typeof verdict === "object" && !SOFT.has(verdict.difference)) {
      const inTurn = prepareReference(source, REFERENCE_LIMITS, referenceInTurn);
      const detail = meantIn(source);
      if (await agreesWith(inTurn, verdict)) verdict = { ...verdict, difference: "order of evaluation" };
      else if (ours.engine === "interpreted" && (await agreesWith(limited(source), verdict)))
        verdict = {
          ...verdict,
          difference: "reference breaks",
          detail: "a limit of its own shows in results",
        };
      else if (detail !== undefined) verdict = { ...verdict, difference: "reference breaks", detail };
    }
    if (verdict === "discarded") discarded++;
    else if (verdict !== undefined) verdicts.push(verdict);
  }
  return { evaluations: runs.length, discarded, verdicts };
}

/** The reference with a sequence limit: it adds a property to each sequence, which $each and others find. */
function limited(source: string): Prepared {
  return prepareReference(source, { ...REFERENCE_LIMITS, sequence: DEFAULT_LIMITS.sequence });
}

/** The known defect of the reference in a source, if any (ARCHITECTURE.md); its effect shows in values. */
function meantIn(source: string): string | undefined {
  if (/(?:~>|[(,])\s*\|[^|]*\{[^|]*\|/.test(source))
    return "an object made over an empty array adds an item to it";
  if (
    /\|.*\|\$(?:append|distinct|single|lookup|reverse|sort|shuffle)\(.*(?:function|λ|\$\w+\b(?!\())/.test(
      source,
    )
  )
    return "a function is handed on by a function";
  if (/\|[^|]*\|\s*(?:\$\w+\s*[|,]|function|λ)/.test(source))
    return "a transform makes a function of an object";
  if (/\|.*__proto__/.test(source)) return "it loses a property __proto__";
  return /\$spread\b|\$merge\(\?/.test(source) ? "a function is taken apart as an object" : undefined;
}

const BINDINGS_TEXT = JSON.stringify(OUTER_BINDINGS);

/** Input and bindings, parsed anew for each evaluation, because an engine may write to them. */
function given(text: string | undefined): { input: unknown; bindings: Record<string, unknown> } {
  return {
    input: text === undefined ? undefined : JSON.parse(text),
    bindings: JSON.parse(BINDINGS_TEXT) as Record<string, unknown>,
  };
}

async function agreesWith(engine: Prepared, { ours, input }: Verdict): Promise<boolean> {
  const fresh = given(inputText(input));
  const found = compare(ours, await engine.run(fresh.input, fresh.bindings), engine.engine !== undefined);
  return found === undefined || SOFT.has(found.difference);
}

function isStill(value: unknown, text: string | undefined): boolean {
  try {
    return inputText(value as Json) === text;
  } catch {
    // The value contains itself, or a value that is not JSON.
    return false;
  }
}

/** Whether the reference may count a range forever, from a number n with n + 1 = n. */
function countsForEver(source: string, input: string | undefined): boolean {
  const isLarge = (text: string) => /\d{16}|e\+?\d{2}/i.test(text);
  return source.includes("..") && (isLarge(source) || isLarge(input ?? "") || isLarge(BINDINGS_TEXT));
}

async function judgeInput(
  source: string,
  referenceEngine: Prepared,
  ourEngine: Prepared,
  input: Json,
  earlierRuns: number,
): Promise<Verdict | "discarded" | undefined> {
  const text = inputText(input);
  if (countsForEver(source, text)) return "discarded";
  const theirs = given(text);
  const reference = await referenceEngine.run(theirs.input, theirs.bindings);
  if (reference.kind === "error" && wasGuarded(reference.fault)) return "discarded";
  const our = given(text);
  const ours = await ourEngine.run(our.input, our.bindings);
  const isUntouched = isStill(our.input, text) && isStill(our.bindings, BINDINGS_TEXT);
  const found =
    compare(ours, reference, referenceEngine.engine !== undefined) ?? (isUntouched ? undefined : CHANGED);
  // The reference adds an item to an empty array over which it constructs an object; later steps see that
  // item.
  const itWrites =
    found !== undefined && !(isStill(theirs.input, text) && isStill(theirs.bindings, BINDINGS_TEXT));
  if (itWrites) return { ...WRITES, input, earlierRuns, ours, reference };
  return found === undefined ? undefined : { ...found, input, earlierRuns, ours, reference };
}

type Found = Pick<Verdict, "difference" | "detail">;
const WRITES: Found = { difference: "reference breaks", detail: "it changes its input" };
const CHANGED: Found = { difference: "input changed", detail: "" };

function compare(ours: Outcome, reference: Outcome, hasParsed: boolean): Found | undefined {
  const detail = `${describe(ours)}, not ${describe(reference)}`;
  if (reference.kind === "error" && hasParsed && breaks(reference.fault)) {
    const agrees = ours.kind === "error" && isBreakage(ours.fault);
    return agrees ? undefined : { difference: "reference breaks", detail: reference.fault.message };
  }
  if (ours.kind === "error" && reference.kind === "error" && reference.fault.code === undefined)
    // The source is not an expression: JavaScript's parser said so, without a code.
    return isBreakage(ours.fault) ? undefined : { difference: "reference breaks", detail };
  if (ours.kind === "error" && isBreakage(ours.fault))
    return { difference: "ours breaks", detail: ours.fault.message };
  if (ours.kind === "value" && reference.kind === "value") {
    if (identical(ours.value, reference.value, true)) return undefined;
    if (identical(ours.value, reference.value, false)) return { difference: "order of keys", detail };
    if (identical(ours.value, withoutHoles(reference.value), true))
      return { difference: "reference breaks", detail: "an undefined item in an array" };
    if (
      identical(withoutProto(ours.value), withoutProto(reference.value), true) ||
      hasFunctionAsProto(ours.value)
    )
      return { difference: "reference breaks", detail: "it loses a property __proto__" };
    if (holdsSource(reference.value)) return { difference: "reference breaks", detail: "a function as text" };
    return { difference: "value", detail };
  }
  if (ours.kind === "value" || reference.kind === "value") return { difference: "failure", detail };
  const [a, b] = [ours.fault, reference.fault];
  if (a.code !== b.code) return { difference: "code", detail };
  const code = String(b.code);
  if (a.position !== b.position) return { difference: "position", detail: code };
  if (a.token !== b.token) return { difference: "token", detail: code };
  if (a.message !== b.message) return { difference: "message", detail: code };
  return undefined;
}

/**
 * Whether a value contains source text or parts of one of the reference's functions, used as a string or an
 * object.
 */
const holdsSource = (value: unknown): boolean =>
  /function \(|"implementation":"\[a function\]"/.test(JSON.stringify(value) ?? "");

/** Removes undefined items: the reference adds one to an empty array over which it constructs an object. */
function withoutHoles(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.filter((item) => item !== undefined).map(withoutHoles);
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, withoutHoles(item)]));
}

/** Removes properties named __proto__: the reference's transforms assign them and so lose them. */
function withoutProto(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(withoutProto);
  const kept = Object.entries(value).filter(([name]) => name !== "__proto__");
  return Object.fromEntries(kept.map(([name, item]) => [name, withoutProto(item)]));
}

/** Whether a __proto__ is a function: the reference then takes the object for a function. */
const hasFunctionAsProto = (value: unknown): boolean =>
  JSON.stringify(value)?.includes('"__proto__":"[a function]"') ?? false;

/**
 * Whether the reference broke: it has no code, or a syntax error at run time (it parses a function's source
 * to apply it in part).
 */
const breaks = ({ code }: Fault): boolean => code === undefined || code.startsWith("S0");

/** Whether the error is JavaScript's own, without a code; our engine gives it the code UNKNOWN. */
const isBreakage = ({ code }: Fault): boolean => code === undefined || code === "UNKNOWN";

/** The shape of an outcome: its code, or the type of its value. */
function describe(outcome: Outcome): string {
  if (outcome.kind === "error") return outcome.fault.code ?? `no code (${outcome.fault.message})`;
  if (Array.isArray(outcome.value)) return "array";
  return outcome.value === null ? "null" : typeof outcome.value;
}

/**
 * Equality that distinguishes the sign of zero and, with `ordered`, the order of keys; both sides are plain
 * data.
 */
function identical(a: unknown, b: unknown, ordered: boolean): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Array.isArray(a) || Array.isArray(b)) {
    if (!Array.isArray(a) || !Array.isArray(b) || a.length !== b.length) return false;
    return a.every((item, index) => identical(item, b[index], ordered));
  }
  const [left, right] = [a as Record<string, unknown>, b as Record<string, unknown>];
  const [leftKeys, rightKeys] = [Object.keys(left), Object.keys(right)];
  if (leftKeys.length !== rightKeys.length) return false;
  return leftKeys.every(
    (key, index) =>
      (ordered ? rightKeys[index] === key : Object.hasOwn(right, key)) &&
      identical(left[key], right[key], ordered),
  );
}
