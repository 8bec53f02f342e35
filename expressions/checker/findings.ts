// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { AstNode } from "../syntax/ast.ts";
import { type SourceRange, sourceRanges } from "../syntax/source-ranges.ts";
import type { ExpressionFinding } from "./finding.ts";

type Details = Pick<ExpressionFinding, "code" | "severity" | "message" | "suggestion">;

/**
 * Most errors, and most warnings, kept for one expression: more help nobody, and each is compared with the
 * others.
 */
const MAX_FINDINGS = 100;

/**
 * Collects an expression's findings without duplicates: the parser copies parts of the tree, which are
 * checked twice.
 */
export class Findings {
  readonly #source: string;
  readonly #ranges: ReadonlyMap<AstNode, SourceRange>;
  readonly #found = new Map<string, ExpressionFinding>();

  constructor(ast: AstNode, source: string) {
    this.#source = source;
    this.#ranges = sourceRanges(ast, source);
  }

  add(node: AstNode, details: Details): void {
    this.addAt(this.rangeOf(node), details);
  }

  addAt({ start, end }: SourceRange, details: Details): void {
    const key = `${details.code} ${start} ${end}`;
    if (this.#found.has(key) || this.isFull(details.severity)) return;
    this.#found.set(key, { ...details, start, end });
  }

  /** Whether the limit for findings of that severity is reached. */
  isFull(severity: ExpressionFinding["severity"]): boolean {
    if (this.#found.size < MAX_FINDINGS) return false;
    return (
      [...this.#found.values()].filter((finding) => finding.severity === severity).length >= MAX_FINDINGS
    );
  }

  /** Removes the findings in a part that turned out to be misunderstood as a whole. */
  forget(range: SourceRange): void {
    for (const [key, finding] of this.#found) if (overlaps(finding, range)) this.#found.delete(key);
  }

  has(node: AstNode): boolean {
    const { start, end } = this.rangeOf(node);
    return [...this.#found.values()].some((finding) => finding.start === start && finding.end === end);
  }

  /** Whether some part of `node` has an error, for any request. */
  isWrong(node: AstNode): boolean {
    const whole = this.rangeOf(node);
    return [...this.#found.values()].some(
      ({ severity, code, start, end }) =>
        (severity === "error" || code === "PURSER_EXPR_IMPOSSIBLE") &&
        whole.start <= start &&
        end <= whole.end,
    );
  }

  /** The findings in the order of the source, without those that another finding explains. */
  all(): readonly ExpressionFinding[] {
    const found = [...this.#found.values()];
    return found
      .filter((finding) => !found.some((other) => explains(other, finding)))
      .toSorted((a, b) => a.start - b.start || a.end - b.end);
  }

  rangeOf(node: AstNode): SourceRange {
    return this.#ranges.get(node) ?? { start: 0, end: this.#source.length };
  }

  slice({ start, end }: SourceRange): string {
    return this.#source.slice(start, end);
  }

  /** The place of the brackets that hold `node` alone; undefined when `node` is in no such brackets. */
  bracketsAround(node: AstNode): SourceRange | undefined {
    const { start, end } = this.rangeOf(node);
    const before = this.#source.slice(0, start).trimEnd();
    const after = this.#source.slice(end);
    const closing = after.length - after.trimStart().length;
    if (!before.endsWith("[") || after[closing] !== "]") return undefined;
    return { start: before.length - 1, end: end + closing + 1 };
  }

  /** The two characters before the node's position: its operator, if that has two characters. */
  tokenBefore({ position = 0 }: AstNode): string {
    return this.#source.slice(position - 2, position);
  }

  /** The node as the source has it. */
  textOf(node: AstNode): string {
    const { start, end } = this.rangeOf(node);
    return this.#source.slice(start, end);
  }
}

function overlaps(a: SourceRange, b: SourceRange): boolean {
  return a.start < b.end && b.start < a.end;
}

/**
 * Whether `finding` makes `other` superfluous: an error explains a warning about absence in the same place,
 * and a `$not` of an absent text is one mistake, not two.
 */
function explains(finding: ExpressionFinding, other: ExpressionFinding): boolean {
  if (other.severity === "error" || !overlaps(finding, other)) return false;
  if (finding.severity === "error") return other.code === "PURSER_EXPR_ABSENT";
  return finding.code === "PURSER_EXPR_ABSENT" && other.code === "PURSER_EXPR_CONDITION";
}
