// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Scalar } from "yaml";

/**
 * Maps an offset in a scalar's value to its source text. Folding, indentation and chomping change only white
 * space, so the n-th non-blank character of the value is the n-th of the source, after quotes, escapes and
 * block headers. White space maps to the character after it.
 *
 * @param raw The scalar's source, including quotes and block header.
 * @param offset Offset in `value`, in UTF-16 units; may equal its length, for the end.
 * @returns Offset in `raw`.
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

/** The pieces of the source, each for one UTF-16 unit of the value. */
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
      // \U is one or two UTF-16 units.
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
