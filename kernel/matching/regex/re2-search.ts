// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { type AST, visitRegExpAST } from "@eslint-community/regexpp";

// Searches with RE2's results on an engine with JavaScript's. Both find the leftmost match and prefer alternatives
// and repeats in the same order. They differ in repeats of what can be empty (JavaScript gives an empty turn up), and in
// groups within repeats (JavaScript forgets them at each turn, RE2 keeps the last turn in which they took part).

/** The part of a pattern that JavaScript would search for differently, for its author; undefined for none. */
export function searchDifference(pattern: AST.Pattern): string | undefined {
  let difference: string | undefined;
  visitRegExpAST(pattern, {
    onQuantifierEnter({ element, max }) {
      if (canBeEmpty(element))
        difference ??= `a repeat of something that can be empty (${element.raw}) is not supported here`;
      else if (max > 1 && capturesWithin(element))
        difference ??= `a group within a repeat (${element.raw}) is not supported here: write (?:…) for it`;
    },
  });
  return difference;
}

/** Number of groups that capture. */
export function groupCountOf(pattern: AST.Pattern): number {
  let count = 0;
  visitRegExpAST(pattern, {
    onCapturingGroupEnter() {
      count++;
    },
  });
  return count;
}

/** Whether a group lies deeper than the element itself, so that it may take no part in a turn. */
function capturesWithin(element: AST.QuantifiableElement): boolean {
  let within = false;
  visitRegExpAST(element, {
    onCapturingGroupEnter(group) {
      if (group !== element) within = true;
    },
  });
  return within;
}

function canBeEmpty(element: AST.Element): boolean {
  switch (element.type) {
    case "Assertion":
      return true;
    case "Quantifier":
      return element.min === 0 || canBeEmpty(element.element);
    case "Group":
    case "CapturingGroup":
      return element.alternatives.some(({ elements }) => elements.every(canBeEmpty));
    // RE2 has no backreferences.
    case "Backreference":
    case "Character":
    case "CharacterSet":
    case "CharacterClass":
    case "ExpressionCharacterClass":
      return false;
  }
}
