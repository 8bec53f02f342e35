// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/** The names in PromQL expressions. promtool tells whether an expression parses: this reads expressions that do. */

export interface Matcher {
  readonly label: string;
  readonly operator: string;
  readonly value: string;
}

export interface Selector {
  readonly metric: string;
  readonly matchers: readonly Matcher[];
  /** The function around the selector, such as `rate`; empty without one. */
  readonly within: string;
}

export interface Names {
  readonly selectors: readonly Selector[];
  /** Labels of `by`, `on` and the like, in the order of their appearance. */
  readonly grouping: readonly string[];
}

const TOKEN = /"(?:[^"\\]|\\.)*"|\[[^\]]*\]|[A-Za-z_:][\w:]*|\d[\w.]*|[=!]~|[=!]=|\S/g;
const NAME = /^[A-Za-z_:]/;
const GROUPINGS: ReadonlySet<string> = new Set([
  "by",
  "without",
  "on",
  "ignoring",
  "group_left",
  "group_right",
]);
const OPERATORS: ReadonlySet<string> = new Set(["and", "or", "unless", "offset", "bool"]);

/** The selectors and grouping labels of an expression. */
export function namesIn(expression: string): Names {
  const tokens: readonly string[] = expression.match(TOKEN) ?? [];
  const selectors: Selector[] = [];
  const grouping: string[] = [];
  for (let i = 0; i < tokens.length; i++) {
    const token = tokens[i] as string;
    const next = tokens[i + 1] ?? "";
    if (GROUPINGS.has(token) && next === "(") {
      const end = tokens.indexOf(")", i);
      grouping.push(...tokens.slice(i + 2, end).filter((label) => label !== ","));
      i = end;
    } else if (NAME.test(token) && !OPERATORS.has(token) && next !== "(" && !GROUPINGS.has(next)) {
      const end = next === "{" ? tokens.indexOf("}", i) : i;
      const within = tokens[i - 1] === "(" && NAME.test(tokens[i - 2] ?? "") ? (tokens[i - 2] as string) : "";
      selectors.push({ metric: token, matchers: matchersIn(tokens.slice(i + 2, end)), within });
      i = end;
    }
  }
  return { selectors, grouping };
}

function matchersIn(tokens: readonly string[]): readonly Matcher[] {
  return tokens
    .join("\0")
    .split("\0,\0")
    .filter((text) => text !== "")
    .map((text) => {
      const [label = "", operator = "", value = '""'] = text.split("\0");
      return { label, operator, value: JSON.parse(value) as string };
    });
}
