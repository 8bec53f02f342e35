// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { type AstNode, type AstStage, childrenOf } from "./ast.ts";
import { type SourceToken, sourceTokens } from "./source-tokens.ts";

/** A part of a source: offsets in UTF-16 units, `end` exclusive. */
export interface SourceRange {
  readonly start: number;
  readonly end: number;
}

/**
 * The source range of every node of `ast`, including its brackets; a child's range lies within its parent's.
 * A generated node (of `??`, for example) has the range of the node that it copies, or else its parent's. A
 * `%` that is not a step between others leaves no position in the tree: its range is its parent's, which may
 * not include it.
 */
export function sourceRanges(ast: AstNode, source: string): ReadonlyMap<AstNode, SourceRange> {
  const finder = new RangeFinder(source);
  finder.rangeOf(ast);
  finder.fill(ast, { start: 0, end: source.length });
  return finder.ranges;
}

class RangeFinder {
  readonly ranges = new Map<AstNode, SourceRange>();
  readonly #tokens: readonly SourceToken[];
  /** Token indexes by end offset: the tree keeps only the end of a token. */
  readonly #byEnd = new Map<number, number>();

  constructor(source: string) {
    this.#tokens = sourceTokens(source);
    for (const [index, { end }] of this.#tokens.entries()) this.#byEnd.set(end, index);
  }

  /** The range of a node; undefined for a node that has no text of its own. */
  rangeOf(node: AstNode): SourceRange | undefined {
    const parts = childrenOf(node).map((child) => this.rangeOf(child));
    if (node.type === "path") this.#findParents(node.steps ?? []);
    const own = this.#ownRange(node);
    const whole = union([own, ...parts, ...(node.steps ?? []).map((step) => this.ranges.get(step))]);
    if (whole === undefined) return undefined;
    const closings = [...(node.stages ?? []), ...(node.predicate ?? [])].map((stage) =>
      this.#stageEnd(stage),
    );
    if (node.group?.position !== undefined) closings.push(this.#closingAt(node.group.position));
    const range = { start: whole.start, end: this.#suffixEnd(node, Math.max(whole.end, ...closings)) };
    this.ranges.set(node, range);
    return range;
  }

  /** Gives each node without a range that of its parent. */
  fill(node: AstNode, parent: SourceRange): void {
    const range = this.ranges.get(node) ?? parent;
    this.ranges.set(node, range);
    for (const child of childrenOf(node)) this.fill(child, range);
  }

  /** The range from the node's own token, with its brackets and signs. */
  #ownRange(node: AstNode): SourceRange | undefined {
    const index = node.position === undefined ? undefined : this.#byEnd.get(node.position);
    const token = index === undefined ? undefined : this.#tokens[index];
    if (index === undefined || token === undefined || node.thunk === true) return undefined;
    switch (node.type) {
      case "binary":
      case "bind":
      case "apply":
      case "condition":
        return undefined;
      case "transform":
        return this.#transform(node, token);
      case "lambda":
        return this.#lambda(node, index);
      case "function":
        return token.text === ".." ? undefined : { start: token.start, end: token.closedAt ?? token.end };
      case "sort":
        return { start: token.start, end: this.#tokens[index + 1]?.closedAt ?? token.end };
      case "number":
        return { start: this.#signStart(index), end: token.end };
      default:
        return { start: token.start, end: token.closedAt ?? token.end };
    }
  }

  /** Index of the sign of a negative number: JSONata parses `-5` to one number whose token is the 5. */
  #signStart(index: number): number {
    let first = index;
    while (this.#isSign(this.#tokens[first - 1])) first--;
    return (this.#tokens[first] as SourceToken).start;
  }

  #isSign(token: SourceToken | undefined): boolean {
    return token?.text === "-" && token.prefix;
  }

  /**
   * The range of a lambda. `index` is the bracket that opens its parameters; a signature may precede the
   * body.
   */
  #lambda({ body }: AstNode, index: number): SourceRange | undefined {
    const keyword = this.#tokens[index - 1];
    const parameters = this.#tokens[index] as SourceToken;
    const bodyStart = (body && this.ranges.get(body)?.start) ?? parameters.closedAt ?? parameters.end;
    const opening = this.#tokens.findLast(
      ({ text, start }) => text === "{" && start >= parameters.end && start < bodyStart,
    );
    return { start: keyword?.start ?? parameters.start, end: opening?.closedAt ?? bodyStart };
  }

  /** The range of a transform `|pattern|update, delete|`. */
  #transform(node: AstNode, opening: SourceToken): SourceRange {
    const last = node.delete ?? node.update;
    const inner = (last && this.ranges.get(last)?.end) ?? opening.end;
    const closing = this.#tokens.find(({ text, start }) => text === "|" && start >= inner);
    return { start: opening.start, end: closing?.end ?? inner };
  }

  #stageEnd(stage: AstStage): number {
    if (stage.position === undefined) return 0;
    if (stage.type === "filter") return this.#closingAt(stage.position);
    const index = this.#byEnd.get(stage.position);
    return (index === undefined ? undefined : this.#tokens[index + 1]?.end) ?? stage.position;
  }

  #closingAt(position: number): number {
    const index = this.#byEnd.get(position);
    return (index === undefined ? undefined : this.#tokens[index]?.closedAt) ?? position;
  }

  /** End of the suffixes `[]`, `@$name` and `#$name`, which have no position in the tree. */
  #suffixEnd(node: AstNode, from: number): number {
    let end = from;
    let index = this.#byEnd.get(end);
    while (index !== undefined) {
      const [token, next] = [this.#tokens[index + 1], this.#tokens[index + 2]];
      const keeps = node.keepArray === true && token?.text === "[" && next?.text === "]";
      const binds =
        (token?.text === "@" && node.focus !== undefined) ||
        (token?.text === "#" && node.index !== undefined);
      if (next === undefined || !(keeps || binds)) return end;
      ({ end } = next);
      index += 2;
    }
    return end;
  }

  /** Finds the steps `%`, which have no position in the tree, beside a neighbour with a position. */
  #findParents(steps: readonly AstNode[]): void {
    const from = (index: number, direction: 1 | -1) => {
      const step = steps[index];
      const neighbour = steps[index - direction];
      const known = neighbour && this.ranges.get(neighbour);
      if (step?.type !== "parent" || known === undefined || this.ranges.has(step)) return;
      const edge = this.#tokens.findIndex(({ start, end }) =>
        direction === 1 ? end === known.end : start === known.start,
      );
      const token = this.#tokens[edge + 2 * direction];
      if (token?.text === "%") this.ranges.set(step, { start: token.start, end: token.end });
    };
    for (const index of steps.keys()) from(index, 1);
    for (const index of [...steps.keys()].reverse()) from(index, -1);
  }
}

function union(ranges: readonly (SourceRange | undefined)[]): SourceRange | undefined {
  const known = ranges.filter((range) => range !== undefined);
  if (known.length === 0) return undefined;
  return {
    start: Math.min(...known.map(({ start }) => start)),
    end: Math.max(...known.map(({ end }) => end)),
  };
}
