// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Regex } from "../../kernel/matching/regex.ts";
import { type AstNode, hasSuffix } from "../syntax/ast.ts";
import { compileLiteral } from "../syntax/regex-literal.ts";
import { siteOf } from "./call-site.ts";
import { any, type Code, NotCompiled } from "./place.ts";
import { orAbsent, type QuickCall } from "./quick-call.ts";

/** What runs a pattern that is written out. */
export function regexOf({ value }: AstNode): Regex {
  const compiled = compileLiteral(value as RegExp);
  if (!compiled.ok) throw new NotCompiled(compiled.message);
  return compiled.regex;
}

/** `$match(text, /…/)` and `$replace(text, /…/, text)`: no function has to stand for the pattern. */
export function emitPattern(call: QuickCall, a: AstNode): Code | undefined {
  const { emitter, name, node, place } = call;
  const [, b, c] = call.values;
  const isMatch = name === "match" && call.values.length === 2;
  const isReplace = name === "replace" && call.values.length === 3;
  if ((!isMatch && !isReplace) || b?.type !== "regex" || hasSuffix(b)) return undefined;
  const pattern = emitter.constant({ regex: regexOf(b), position: b.position ?? 0 });
  const site = emitter.constant(siteOf(node, place));
  const [text, set] = call.hold(a);
  const slow = (...more: readonly string[]): string =>
    call.slowly(text, emitter.emit(b, place).text, ...more);
  if (c === undefined) {
    const known = `typeof ${text}==="string"?R.matchPattern(G,${text},${pattern},${site}):${slow()}`;
    return any(`(${set},${orAbsent(text, known)})`);
  }
  const [by, setBy] = call.hold(c);
  const fits = `typeof ${text}==="string"&&typeof ${by}==="string"`;
  return any(`(${set},${setBy},${fits}?R.replacePattern(G,${text},${pattern},${by},${site}):${slow(by)})`);
}

/** `$contains` of a pattern or of a text. */
export function emitContains(call: QuickCall, a: AstNode, b: AstNode): Code {
  const { emitter, place } = call;
  const [text, set] = call.hold(a);
  if (b.type === "regex" && !hasSuffix(b)) {
    const test = `${emitter.constant(regexOf(b))}.test(${text},G)`;
    const slowly = call.slowly(text, emitter.emit(b, place).text);
    return {
      text: `(${set},${orAbsent(text, `typeof ${text}==="string"?${test}:${slowly}`)})`,
      kind: "boolean?",
    };
  }
  const [part, setPart] = call.hold(b);
  const fits = `typeof ${text}==="string"&&typeof ${part}==="string"`;
  return {
    text: `(${set},${setPart},${orAbsent(text, `${fits}?R.holdsText(G,${text},${part}):${call.slowly(text, part)}`, [part])})`,
    kind: "boolean?",
  };
}
