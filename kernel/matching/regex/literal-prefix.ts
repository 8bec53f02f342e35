// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { AST } from "@eslint-community/regexpp";

/** Text that every match begins with, when the pattern begins with `^` and text; otherwise empty. */
export function literalPrefixOf(pattern: AST.Pattern, flags: string): string {
  if (flags.includes("i") || flags.includes("m")) return "";
  const [only, another] = pattern.alternatives;
  const [anchor, ...elements] = only?.elements ?? [];
  if (another !== undefined || anchor?.type !== "Assertion" || anchor.kind !== "start") return "";
  return leadingText(elements).text;
}

/**
 * Whether a match can begin only at the start of a text: each alternative begins with `^`, and flag `m` is
 * absent.
 */
export function isAnchored({ alternatives }: AST.Pattern, flags: string): boolean {
  return (
    !flags.includes("m") &&
    alternatives.every(({ elements: [first] }) => first?.type === "Assertion" && first.kind === "start")
  );
}

/** The text that `elements` begin with, and whether they match nothing more. */
function leadingText(elements: readonly AST.Element[]): { readonly text: string; readonly all: boolean } {
  let text = "";
  for (const element of elements) {
    const part = textOf(element);
    text += part.text;
    if (!part.all) return { text, all: false };
  }
  return { text, all: true };
}

function textOf(element: AST.Element): { readonly text: string; readonly all: boolean } {
  switch (element.type) {
    case "Character":
      return { text: String.fromCharCode(element.value), all: true };
    case "Group":
    case "CapturingGroup": {
      // A group with flags of its own (in newer versions of JavaScript) may ignore case.
      if (element.type === "Group" && element.modifiers !== null) return { text: "", all: false };
      const [only, another] = element.alternatives;
      return only === undefined || another !== undefined
        ? { text: "", all: false }
        : leadingText(only.elements);
    }
    case "Quantifier":
      return { text: element.min > 0 ? textOf(element.element).text : "", all: false };
    default:
      return { text: "", all: false };
  }
}
