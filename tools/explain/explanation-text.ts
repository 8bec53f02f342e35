// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type {
  DocumentExplanation,
  ExplainedCharge,
  ExplainedStep,
  Explanation,
  ExpressionExplanation,
} from "../../core/explain/explanation.ts";
import type { TraceNode } from "../../core/explain/trace-node.ts";
import { perDuration } from "../../kernel/duration.ts";
import type { Style } from "../terminal.ts";

/** Widest column of sub-expressions; longer ones are cut. */
const WIDEST = 72;

export interface TextOptions {
  /** Whether to show documents that do not match the request, or were not evaluated. */
  readonly all: boolean;
  readonly style: Style;
}

/** An explanation as text: the decision, then each document with its expressions as trees of values. */
export function explanationText(explanation: Explanation, options: TextOptions): string {
  const { documents, omittedDocuments = 0, refusedAttributes = [] } = explanation;
  const shown = documents.filter(
    ({ outcome }) => options.all || (outcome !== "unmatched" && outcome !== "not-asked"),
  );
  const hidden = documents.length - shown.length;
  const blocks = [
    decisionText(explanation, options),
    ...shown.map((document) => documentText(document, options, explanation)),
  ];
  for (const { handler, detail } of refusedAttributes)
    blocks.push(options.style.bad(`Handler ${handler} added an attribute that was left out: ${detail}`));
  if (hidden > 0)
    blocks.push(options.style.dim(`${hidden} more not matching or not asked (--all shows them)`));
  if (omittedDocuments > 0) blocks.push(options.style.dim(`${omittedDocuments} more left out`));
  return `${blocks.join("\n\n")}\n`;
}

/** Only the deciding document, if there is one, for readers who know the request. */
export function decidingText(explanation: Explanation, style: Style): string {
  const decider = explanation.documents.find(({ decides }) => decides);
  const options = { all: false, style };
  return decider === undefined
    ? explanationText(explanation, options).trimEnd()
    : documentText(decider, options, explanation);
}

/** Handlers that were not called and could still refuse an allowed request. */
function unaskedOf(documents: Explanation["documents"]): readonly string[] {
  return [...new Set(documents.flatMap(({ mode, unasked = [] }) => (mode === "enforce" ? unasked : [])))].map(
    (handler) => `handler ${handler}, which was not asked,`,
  );
}

function decisionText({ decision, documents }: Explanation, { style }: TextOptions): string {
  const { status, httpStatus, decidedBy, reason, requestHeaders, responseHeaders, charges } = decision;
  const ok = status.code === "OK";
  const decider = documents.find(({ decides }) => decides);
  const by =
    decider === undefined
      ? decidedBy === undefined
        ? ""
        : ` by ${decidedBy.kind} ${decidedBy.name}`
      : ` by ${decider.kind} ${decider.name} (${placeOf(decider)})`;
  const unasked = ok ? unaskedOf(documents) : [];
  const allowed = unasked.length === 0 ? "allowed" : `allowed, unless ${unasked.join(" or ")} refuses`;
  const head = ok ? style.good(allowed) : style.bad(`refused: ${status.code} (${httpStatus})`);
  const headers = (side: string, operations: typeof requestHeaders) =>
    operations.map(
      ({ operation, name, value }) =>
        `  ${side} ${operation} ${name}${value === undefined ? "" : `: ${value}`}`,
    );
  const lines = [
    `${style.bold(head)}${by}`,
    ...(ok ? [] : [`  message: ${status.message}`]),
    ...(reason?.kind === "error" ? [`  error: ${reason.detail} [${reason.code}]`] : []),
    ...headers("request header", requestHeaders),
    ...headers("response header", responseHeaders),
    ...decision.shadowDenials.map(({ name }) => `  would be refused by ${name}, which is in shadow`),
    ...decision.audits.map(({ name }) => `  noted by ${name}`),
    ...charges.flatMap((charge) => [
      `  charges ${chargeText(charge)}${charge.mode === "shadow" ? " (shadow)" : ""}`,
      ...(charge.beyond ?? []).map((step) => `    beyond the limit: ${stepText(step)}`),
    ]),
  ];
  return lines.join("\n");
}

const UNIT_NAMES = { "content-bytes": " bytes", "concurrent-requests": " concurrent requests" } as const;

function chargeText({ amount, limit, unit, windowMs, cell }: Omit<ExplainedCharge, "beyond">): string {
  const of = `${limit}${unit === undefined ? "" : UNIT_NAMES[unit]}`;
  return `${amount} of ${of}${perDuration(windowMs)} to ${cell}`;
}

function stepText(step: ExplainedStep): string {
  switch (step.kind) {
    case "queue":
      return `waits at most ${step.atMostMs / 1000} s in a queue of at most ${step.length} requests`;
    case "draw":
      return `charges ${chargeText(step.charge)} instead`;
    case "degrade":
      return `charges nothing and sets ${step.headers.map(({ name, value }) => `${name}: ${value}`).join(", ")}`;
  }
}

function documentText(
  document: DocumentExplanation,
  options: TextOptions,
  { unaskedHandlers = [] }: Explanation,
): string {
  const reasonOf = (name: string): string => {
    const known = unaskedHandlers.find(({ handler }) => handler === name);
    return known === undefined ? "" : `: ${known.reason}`;
  };
  const { kind, name, action, mode, outcome, decides, faults, expressions, unasked = [] } = document;
  const { style } = options;
  const paint =
    outcome === "refused" || outcome === "fault" || outcome === "withheld" ? style.bad : style.good;
  const said = outcome === "unmatched" || outcome === "not-asked" ? style.dim(outcome) : paint(outcome);
  const head = [
    style.bold(`${kind} ${name}`),
    ...(action === undefined ? [] : [action]),
    ...(mode === "shadow" ? ["in shadow"] : []),
    said,
    style.dim(placeOf(document)),
    ...(decides === true ? [style.bold(style.marks.decides)] : []),
  ];
  return [
    head.join("  "),
    ...faults.map(({ code, detail }) => style.bad(`  ${detail} [${code}]`)),
    ...unasked.map((handler) => style.dim(`  the handler ${handler} was not asked${reasonOf(handler)}`)),
    ...expressions.flatMap((expression) =>
      expressionLines(expression, { style, marked: settles(expression, outcome) }),
    ),
  ].join("\n");
}

/** Whether this expression caused the outcome: only then is its deciding clause marked. */
function settles({ field, error }: ExpressionExplanation, outcome: DocumentExplanation["outcome"]): boolean {
  return error !== undefined || field === (outcome === "unmatched" ? "match" : "when");
}

function placeOf({ location: { file, line, column } }: DocumentExplanation): string {
  return `${file}:${line}:${column}`;
}

interface Row {
  readonly left: string;
  readonly value: string;
  readonly node: TraceNode;
}

/** The field's name, then the expression as a tree with its values in a column. */
function expressionLines(
  { field, trace, error }: ExpressionExplanation,
  { style, marked }: { readonly style: Style; readonly marked: boolean },
): string[] {
  const rows: Row[] = [];
  addRows(trace, "", "", rows, style);
  const width = Math.min(WIDEST, Math.max(...rows.map(({ left }) => left.length)));
  return [
    `  ${style.dim(`${field}:`)}${error === undefined ? "" : ` ${style.bad(error)}`}`,
    ...rows.map(({ left, value, node }) => {
      const paint =
        node.skipped === true
          ? style.dim
          : marked && node.decides === true
            ? style.bold
            : (text: string) => text;
      const mark = marked && node.decides === true ? `  ${style.bold(style.marks.decides)}` : "";
      return `    ${paint(cut(left, width, style).padEnd(width))}  ${paint(value)}${mark}`;
    }),
  ];
}

function addRows(outer: TraceNode, lead: string, below: string, rows: Row[], style: Style): void {
  const { text } = outer;
  const node = withinParentheses(outer);
  const { children } = node;
  rows.push({ left: `${lead}${text.replace(/\s+/g, " ")}`, value: valueOf(node, style), node });
  // Parts below an unreached one were not reached either; a literal shows its own value.
  const shown = node.skipped === true ? [] : children.filter(({ kind }) => kind !== "literal");
  for (const [index, child] of shown.entries()) {
    const last = index === shown.length - 1;
    const { marks } = style;
    addRows(
      child,
      below + (last ? marks.last : marks.branch),
      below + (last ? "  " : marks.trunk),
      rows,
      style,
    );
  }
}

/** Parentheses around a single part have that part's value, so they get no row of their own. */
function withinParentheses(node: TraceNode): TraceNode {
  const [only, ...more] = node.children;
  return node.kind === "block" && only !== undefined && more.length === 0 ? withinParentheses(only) : node;
}

function valueOf({ skipped, failed, values, count }: TraceNode, { marks }: Style): string {
  if (skipped === true) return "not reached";
  if (failed === true) return "failed";
  if (values.length === 0) return "";
  const more = count > values.length ? `, ${marks.ellipsis} (${count} times)` : "";
  return `${values.join(", ")}${more}`;
}

function cut(text: string, width: number, { marks }: Style): string {
  return text.length <= width ? text : `${text.slice(0, width - marks.ellipsis.length)}${marks.ellipsis}`;
}
