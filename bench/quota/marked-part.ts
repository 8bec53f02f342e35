// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/**
 * A text with the part between the two marks of `name` replaced. A mark is an HTML comment on a line of its own.
 * Throws an Error that names the mark when one is missing.
 */
export function withMarkedPart(text: string, name: string, part: string): string {
  const { start, end } = marksIn(text, name);
  return `${text.slice(0, start)}\n${part}\n\n${text.slice(end)}`;
}

/** The part between the two marks of `name`, without the blank lines around it. */
export function markedPart(text: string, name: string): string {
  const { start, end } = marksIn(text, name);
  return text.slice(start, end).trim();
}

function marksIn(text: string, name: string): { readonly start: number; readonly end: number } {
  const [first, last] = [`<!-- begin ${name} -->\n`, `<!-- end ${name} -->`];
  const start = text.indexOf(first);
  const end = text.indexOf(last, start);
  if (start === -1 || end === -1) throw new Error(`no lines ${first.trim()} and ${last}`);
  return { start: start + first.length, end };
}
