// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/**
 * Translates a glob to a regular expression in RE2's syntax, in which a character is a code point. Common
 * glob libraries emit look-ahead for a backtracking engine, which a list of globs and a hostile value can
 * stall; this small language needs none:
 *
 * *      any characters except /        [a-z] [!a-z]   one of these characters, or none of them
 *     **     any characters                 {a,b}          either; may hold globs, and nest
 *     ?      one character except /         \x             x itself
 *
 * @throws Error for a bracket or brace that is not closed, or a trailing backslash.
 */
export function globToRegex(glob: string): string {
  let regex = "";
  let depth = 0;
  for (let at = 0; at < glob.length; at++) {
    const character = glob[at] as string;
    if (character === "*") {
      const double = glob[at + 1] === "*";
      if (double) at++;
      regex += double ? "[\\s\\S]*" : "[^/]*";
    } else if (character === "?") {
      regex += "[^/]";
    } else if (character === "[") {
      const end = endOfClass(glob, at);
      regex += classToRegex(glob.slice(at + 1, end));
      at = end;
    } else if (character === "{") {
      depth++;
      regex += "(?:";
    } else if (character === "}" && depth > 0) {
      depth--;
      regex += ")";
    } else if (character === "," && depth > 0) {
      regex += "|";
    } else if (character === "\\") {
      at++;
      if (at === glob.length) throw new Error("ends with a backslash that quotes nothing");
      regex += quote(glob[at] as string);
    } else {
      regex += quote(character);
    }
  }
  if (depth > 0) throw new Error("has a { without its }");
  return regex;
}

function quote(character: string): string {
  return /[\\^$.*+?()[\]{}|/-]/.test(character) ? `\\${character}` : character;
}

/** Position of the ] that closes the [ at `start`; a ] directly after the [ is a member. */
function endOfClass(glob: string, start: number): number {
  const first = glob[start + 1] === "!" || glob[start + 1] === "^" ? start + 2 : start + 1;
  const end = glob.indexOf("]", first + 1);
  if (end === -1) throw new Error("has a [ without its ]");
  return end;
}

function classToRegex(members: string): string {
  const negated = members.startsWith("!") || members.startsWith("^");
  const rest = negated ? members.slice(1) : members;
  // A hyphen between two members keeps its meaning; every other character stands for itself.
  const body = rest.replace(/[^-]/g, quote);
  // A negated class must not match / either, as * and ? do not.
  return negated ? `[^/${body}]` : `[${body}]`;
}
