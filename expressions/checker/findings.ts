// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { AstNode } from "../syntax/ast.ts";
import { type SourceRange, sourceRanges } from "../syntax/source-ranges.ts";
import type { ExpressionFinding } from "./finding.ts";

type Details = Pick<ExpressionFinding, "code" | "severity" | "message" | "suggestion">;

/** Most errors, and most warnings, that are kept of one expression: more help nobody, and are compared with one another. */
const MAX_FINDINGS = 100;

/** What was found so far, each finding once: the parser copies parts of the tree. */
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

  /** Whether no more findings of that severity are kept. */
  isFull(severity: ExpressionFinding["severity"]): boolean {
    if (this.#found.size < MAX_FINDINGS) return false;
    return (
      [...this.#found.values()].filter((finding) => finding.severity === severity).length >= MAX_FINDINGS
    );
  }

  /** Forgets what was found of a part that is misunderstood as a whole. */
  forget(range: SourceRange): void {
    for (const [key, finding] of this.#found) if (overlaps(finding, range)) this.#found.delete(key);
  }

  has(node: AstNode): boolean {
    const { start, end } = this.rangeOf(node);
    return [...this.#found.values()].some((finding) => finding.start === start && finding.end === end);
  }

  /** Whether some part of `node` is wrong whatever becomes of the request. */
  isWrong(node: AstNode): boolean {
    const whole = this.rangeOf(node);
    return [...this.#found.values()].some(
      ({ severity, code, start, end }) =>
        (severity === "error" || code === "PURSER_EXPR_IMPOSSIBLE") &&
        whole.start <= start &&
        end <= whole.end,
    );
  }

  /** In the order of the source, without what another finding explains. */
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

  /** The place of the brackets that hold `node` alone; undefined when it is in none. */
  bracketsAround(node: AstNode): SourceRange | undefined {
    const { start, end } = this.rangeOf(node);
    const before = this.#source.slice(0, start).trimEnd();
    const after = this.#source.slice(end);
    const closing = after.length - after.trimStart().length;
    if (!before.endsWith("[") || after[closing] !== "]") return undefined;
    return { start: before.length - 1, end: end + closing + 1 };
  }

  /** The operator of a node that has two characters. */
  tokenBefore({ position = 0 }: AstNode): string {
    return this.#source.slice(position - 2, position);
  }

  /** The node as it is written. */
  textOf(node: AstNode): string {
    const { start, end } = this.rangeOf(node);
    return this.#source.slice(start, end);
  }
}

function overlaps(a: SourceRange, b: SourceRange): boolean {
  return a.start < b.end && b.start < a.end;
}

/** What is wrong for certain comes before what is risky about it; and a `$not` of an absent text is one mistake, not two. */
function explains(finding: ExpressionFinding, other: ExpressionFinding): boolean {
  if (other.severity === "error" || !overlaps(finding, other)) return false;
  if (finding.severity === "error") return other.code === "PURSER_EXPR_ABSENT";
  return finding.code === "PURSER_EXPR_ABSENT" && other.code === "PURSER_EXPR_CONDITION";
}
