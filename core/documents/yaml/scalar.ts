// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Scalar } from "yaml";

/**
 * Finds a character of a scalar's value in the text it was read from. Folding, indentation and chomping change only
 * white space, so the n-th character of the value that is not white space is the n-th of the source, once quotes, escapes and
 * a block's header are accounted for. White space itself is taken as the place of what follows it.
 *
 * @param raw The scalar's source, quotes and block header included.
 * @param offset In `value`, in UTF-16 units; may equal its length, for the place after its end.
 * @returns An offset in `raw`.
 */
export function offsetInScalar(raw: string, type: Scalar.Type, value: string, offset: number): number {
  let wanted = 0;
  for (let index = 0; index < offset; index++) if (!isBlank(value, index)) wanted++;
  const atEnd = value.slice(offset).trim() === "";
  let last = 0;
  for (const [start, end, blank] of unitsOf(raw, type)) {
    if (blank) continue;
    if (wanted === 0 && !atEnd) return start;
    if (wanted === 0) break;
    wanted--;
    last = end;
  }
  return last;
}

type Unit = readonly [start: number, end: number, blank: boolean];

/** The pieces of the source that stand for one UTF-16 unit of the value each. */
function* unitsOf(raw: string, type: Scalar.Type): Generator<Unit> {
  if (type === "QUOTE_SINGLE") {
    for (let at = 1; at < raw.length - 1; at++) {
      const end = raw.startsWith("''", at) ? at + 2 : at + 1;
      yield [at, end, isBlank(raw, at)];
      at = end - 1;
    }
  } else if (type === "QUOTE_DOUBLE") {
    for (let at = 1; at < raw.length - 1; ) {
      const end = raw[at] === "\\" ? at + escapeLength(raw, at) : at + 1;
      const unit: Unit = [at, end, raw[at] === "\\" ? isBlankEscape(raw, at) : isBlank(raw, at)];
      yield unit;
      // \U stands for one or two units of UTF-16.
      if (raw[at] === "\\" && raw[at + 1] === "U" && Number.parseInt(raw.slice(at + 2, end), 16) > 0xffff)
        yield unit;
      at = end;
    }
  } else {
    const headerEnd = type === "PLAIN" ? 0 : raw.indexOf("\n") + 1;
    for (let at = headerEnd; at < raw.length; at++) yield [at, at + 1, isBlank(raw, at)];
  }
}

function escapeLength(raw: string, at: number): number {
  return { x: 4, u: 6, U: 10 }[raw[at + 1] as string] ?? 2;
}

function isBlankEscape(raw: string, at: number): boolean {
  const code = raw.slice(at + 2, at + escapeLength(raw, at));
  return code === ""
    ? /[\stnrvf_LP]/.test(raw[at + 1] as string)
    : /^\s$/.test(String.fromCodePoint(Number.parseInt(code, 16)));
}

function isBlank(text: string, index: number): boolean {
  return /\s/.test(text[index] as string);
}
