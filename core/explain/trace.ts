// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { type AttributeBag, valueAt } from "../attributes/bag.ts";
import { behindView } from "../../expressions/runtime/reads/recorder.ts";
import type { EvaluationContext } from "../expressions/expression.ts";
import { decidingParts } from "./deciding-parts.ts";
import { REDACTED, type Redaction } from "./redaction.ts";
import { shownValue } from "./shown-value.ts";
import type { OutlineNode } from "../../expressions/tracing/syntax-outline.ts";
import { DEFAULT_TRACE_LIMITS, type TraceLimits, type TraceNode } from "./trace-node.ts";
import type { TracedExpression } from "../../expressions/tracing/traced-expression.ts";
import { truthOf } from "../../expressions/tracing/traced-value.ts";

/** One evaluation, with the values of all parts of the expression. */
export interface Trace {
  /** The expression's value, or the error it failed with. */
  readonly result:
    | { readonly ok: true; readonly value: unknown }
    | { readonly ok: false; readonly error: unknown };
  readonly root: TraceNode;
  readonly outline: OutlineNode;
  /** How often each part was reached and gave a value, by `OutlineNode.index`. */
  readonly parts: readonly Pick<PartRecord, "reached" | "count">[];
}

export interface TraceOptions {
  readonly redaction: Redaction;
  /** Whether values that the expression computes may be derived from redacted attributes. */
  readonly secretive: boolean;
  readonly limits?: TraceLimits;
}

/** Records about one part during the evaluation. */
interface PartRecord {
  reached: number;
  count: number;
  readonly values: string[];
  /** Whether JSONata treats the last value as true. */
  truth: boolean;
  /** Whether the last evaluation gave a value. */
  present: boolean;
}

/** Evaluates `expression`; never rejects. */
export async function traceExpression(
  expression: TracedExpression,
  bag: AttributeBag,
  context: EvaluationContext,
  options: TraceOptions,
): Promise<Trace> {
  const limits = options.limits ?? DEFAULT_TRACE_LIMITS;
  const records = newRecords(expression);
  const recordOf = ({ index }: OutlineNode) => records[index] as PartRecord;
  const watcher = {
    reached(part: OutlineNode) {
      recordOf(part).reached++;
    },
    gave(part: OutlineNode, value: unknown) {
      const record = recordOf(part);
      record.count++;
      record.truth = truthOf(value);
      record.present = value !== undefined;
      if (record.values.length < limits.values) record.values.push(show(part, value, bag, options, limits));
    },
  };
  const result = await expression.evaluate(bag, context, watcher).then(
    (value: unknown) => ({ ok: true, value }) as const,
    (error: unknown) => ({ ok: false, error }) as const,
  );
  const deciding = decidingParts(expression.outline, recordOf);
  return {
    result,
    root: new TreeBuilder(expression.source, recordOf, deciding, limits).build(expression.outline, 0),
    outline: expression.outline,
    parts: records,
  };
}

function newRecords({ parts }: TracedExpression): PartRecord[] {
  return parts.map(() => ({ reached: 0, count: 0, values: [], truth: false, present: false }));
}

function show(
  part: OutlineNode,
  value: unknown,
  bag: AttributeBag,
  { redaction, secretive }: TraceOptions,
  { valueLength }: TraceLimits,
): string {
  const revealing = secretive && value !== undefined && !["boolean", "number"].includes(typeof value);
  if (revealing && part.kind !== "literal" && value !== null && !isReadOutright(part, value, bag, redaction))
    return REDACTED;
  return shownValue(value, valueLength, redaction);
}

/** Whether the value is text from the bag, at the very path that the expression names. */
function isReadOutright(
  { path }: OutlineNode,
  value: unknown,
  bag: AttributeBag,
  redaction: Redaction,
): boolean {
  return (
    path !== undefined &&
    typeof value === "string" &&
    !redaction.covers(path) &&
    valueAt(behindView(bag) as AttributeBag, path) === value
  );
}

/** At most `length` characters, with an ellipsis for the rest. */
export function shortened(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length)}…` : text;
}

class TreeBuilder {
  readonly #source: string;
  readonly #recordOf: (part: OutlineNode) => PartRecord;
  readonly #deciding: ReadonlySet<OutlineNode>;
  readonly #limits: TraceLimits;
  #nodes = 0;

  constructor(
    source: string,
    recordOf: (part: OutlineNode) => PartRecord,
    deciding: ReadonlySet<OutlineNode>,
    limits: TraceLimits,
  ) {
    this.#source = source;
    this.#recordOf = recordOf;
    this.#deciding = deciding;
    this.#limits = limits;
  }

  build(part: OutlineNode, depth: number): TraceNode {
    this.#nodes++;
    const { kind, start, end } = part;
    const { reached, count, values } = this.#recordOf(part);
    const children: TraceNode[] = [];
    if (depth < this.#limits.depth) {
      for (const child of part.children) {
        if (this.#nodes >= this.#limits.nodes) break;
        children.push(this.build(child, depth + 1));
      }
    }
    const failedWithin = part.children.some((child) => this.#failed(child));
    return {
      text: shortened(this.#source.slice(start, end), this.#limits.textLength),
      start,
      end,
      kind,
      values,
      count,
      ...(reached === 0 ? { skipped: true } : {}),
      ...(this.#failed(part) && !failedWithin ? { failed: true } : {}),
      ...(this.#deciding.has(part) ? { decides: true } : {}),
      children,
    };
  }

  #failed(part: OutlineNode): boolean {
    const { reached, count } = this.#recordOf(part);
    return reached > count;
  }
}
