// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { PatternPath } from "../../functions/fast-path.ts";
import type { Regex } from "../../../kernel/matching/regex.ts";
import { type AstNode, hasSuffix } from "../../syntax/ast.ts";
import { compileLiteral } from "../../syntax/regex-literal.ts";
import { any, type Code, NotCompiled } from "../place.ts";
import { type FastCall, orAbsent } from "./fast-call.ts";

/** What runs a pattern that is written out. */
export function regexOf({ value }: AstNode): Regex {
  const compiled = compileLiteral(value as RegExp);
  if (!compiled.ok) throw new NotCompiled(compiled.message);
  return compiled.regex;
}

/** A call with a pattern literal, such as `$match(text, /…/)`: no function has to stand for the pattern. */
export function emitPattern(call: FastCall, path: PatternPath): Code | undefined {
  const { emitter, place } = call;
  const [a, b, c] = call.values;
  if (call.values.length !== path.values || a === undefined || b?.type !== "regex" || hasSuffix(b))
    return undefined;
  const run = emitter.constant(path.run);
  const pattern = emitter.constant({ regex: regexOf(b), position: b.position ?? 0 });
  const site = call.site();
  const [text, set] = call.hold(a);
  const slow = (...more: readonly string[]): string =>
    call.slowly(text, emitter.emit(b, place).text, ...more);
  if (c === undefined) {
    const known = `typeof ${text}==="string"?${run}(G,${text},${pattern},${site}):${slow()}`;
    return any(`(${set},${orAbsent(text, known)})`);
  }
  const [by, setBy] = call.hold(c);
  const fits = `typeof ${text}==="string"&&typeof ${by}==="string"`;
  return any(`(${set},${setBy},${fits}?${run}(G,${text},${pattern},${by},${site}):${slow(by)})`);
}

/** Whether a text matches a pattern literal. */
export function emitPatternTest(call: FastCall): Code | undefined {
  const { emitter, place } = call;
  const [a, b, ...more] = call.values;
  if (a === undefined || b?.type !== "regex" || hasSuffix(b) || more.length > 0) return undefined;
  const [text, set] = call.hold(a);
  const test = `${emitter.constant(regexOf(b))}.test(${text},G)`;
  const slowly = call.slowly(text, emitter.emit(b, place).text);
  return {
    text: `(${set},${orAbsent(text, `typeof ${text}==="string"?${test}:${slowly}`)})`,
    kind: "boolean?",
  };
}
