// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { coveragePercent, type ExpressionCoverage } from "../../core/explain/coverage.ts";
import { decidingText } from "../explain/explanation-text.ts";
import type { StepQuota } from "../../core/policy-tests/step-quotas.ts";
import { type Style, visible } from "../terminal.ts";
import type { FinishedCase, TestRun } from "./run-tests.ts";

/** Every case, the mismatches of failed cases, and a summary. */
export function textReport({ cases }: TestRun, style: Style): string {
  return `${cases.map((each) => caseText(each, style)).join("\n")}\n\n${summaryLine(cases, style)}\n`;
}

export function summaryLine(cases: readonly FinishedCase[], style: Style): string {
  const failed = cases.filter(isFailed).length;
  const skipped = cases.filter(isSkipped).length;
  const passed = cases.length - failed - skipped;
  const parts = [
    style.good(`${passed} passed`),
    ...(failed > 0 ? [style.bad(`${failed} failed`)] : []),
    ...(skipped > 0 ? [`${skipped} skipped`] : []),
  ];
  return parts.join(", ");
}

export function isFailed({ mismatches }: FinishedCase): boolean {
  return mismatches.length > 0;
}

export function isSkipped({ skipped }: FinishedCase): boolean {
  return skipped !== undefined;
}

function caseText(each: FinishedCase, style: Style): string {
  const { test, name, skipped } = each;
  const title = `${test} / ${name}`;
  if (skipped !== undefined) return style.dim(`skip ${title}: ${skipped}`);
  return isFailed(each) ? failureText(each, title, style) : `${style.good("ok")}   ${title}`;
}

function failureText(
  { location, mismatches, explanation, quotas = [] }: FinishedCase,
  title: string,
  style: Style,
): string {
  const { file, line, column } = location;
  return [
    `${style.bad("FAIL")} ${style.bold(title)}  ${style.dim(`${file}:${line}:${column}`)}`,
    ...mismatches.flatMap(({ what, expected, got }) => [
      `     ${what}`,
      `       expected ${style.good(expected)}`,
      `       got      ${style.bad(got)}`,
    ]),
    ...(quotas.length === 0
      ? []
      : ["     quotas after this request", ...quotas.map((quota) => `       ${quotaText(quota)}`)]),
    ...(explanation === undefined ? [] : [indent(decidingText(explanation, style))]),
  ].join("\n");
}

/** The state of a quota: `calls{"user":"ann"}: used 3 of 3, 0 remaining, whole again in 59s`. */
export function quotaText(quota: StepQuota): string {
  const { cell, used, limit, unit, remaining, resetMs, mode, refuses } = quota;
  const units = unit === undefined ? "" : ` ${unit}`;
  const reset = resetMs > 0 ? `, whole again in ${Math.ceil(resetMs / 1000)}s` : "";
  const said = refuses === true ? "; refused the request" : mode === "shadow" ? "; in shadow" : "";
  return `${visible(cell)}: used ${used} of ${limit}${units}, ${remaining} remaining${reset}${said}`;
}

function indent(text: string): string {
  return text.replace(/^(?=.)/gm, "     ");
}

/** Every expression that is not fully covered, with the gaps underlined. */
export function coverageText(coverage: readonly ExpressionCoverage[], style: Style): string {
  const incomplete = coverage.filter(({ gaps }) => gaps.length > 0);
  const total = (of: (each: ExpressionCoverage) => number) =>
    coverage.reduce((sum, each) => sum + of(each), 0);
  const summary =
    `coverage ${coveragePercent(coverage).toFixed(1)} %: ` +
    `${total((each) => each.partsReached)} of ${total((each) => each.parts)} parts, ` +
    `${total((each) => each.branchesTaken)} of ${total((each) => each.branches)} branches, ` +
    `${coverage.length - incomplete.length} of ${coverage.length} expressions whole`;
  return `${[...incomplete.map((each) => expressionText(each, style)), summary].join("\n\n")}\n`;
}

function expressionText(each: ExpressionCoverage, style: Style): string {
  const { document, field, source, parts, partsReached, branches, branchesTaken, gaps } = each;
  const branchText = branches === 0 ? "" : `, ${branchesTaken}/${branches} branches`;
  const name = style.bold(`${document.kind} ${document.name}`);
  const lines = [`${name}  ${field}  ${partsReached}/${parts} parts${branchText}`];
  let lineStart = 0;
  for (const line of source.split("\n")) {
    const lineEnd = lineStart + line.length;
    lines.push(`  ${line}`);
    for (const { start, end, what } of gaps) {
      const from = Math.max(start, lineStart);
      const to = Math.min(end, lineEnd);
      if (from >= to) continue;
      const note = start >= lineStart ? ` ${what}` : "";
      lines.push(style.bad(`  ${" ".repeat(from - lineStart)}${"^".repeat(to - from)}${note}`));
    }
    lineStart = lineEnd + 1;
  }
  return lines.join("\n");
}
