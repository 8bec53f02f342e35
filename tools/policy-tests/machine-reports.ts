// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { coveragePercent } from "../../core/explain/coverage.ts";
import type { FinishedCase, TestRun } from "./run-tests.ts";
import { isFailed, isSkipped, quotaText } from "./text-report.ts";

export function jsonReport({ cases, coverage }: TestRun): string {
  const report = {
    passed: cases.filter((each) => !isFailed(each) && !isSkipped(each)).length,
    failed: cases.filter(isFailed).length,
    skipped: cases.filter(isSkipped).length,
    cases: cases.map((each) => ({
      ...each,
      status: isSkipped(each) ? "skipped" : isFailed(each) ? "failed" : "passed",
    })),
    coverage: { percent: coveragePercent(coverage), expressions: coverage },
  };
  return `${JSON.stringify(report, undefined, 2)}\n`;
}

/** JUnit XML, as CI systems read it: one suite for each PolicyTest. */
export function junitReport({ cases }: TestRun): string {
  const suites = new Map<string, FinishedCase[]>();
  for (const each of cases) suites.set(each.test, [...(suites.get(each.test) ?? []), each]);
  const lines = [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites ${counts(cases)}>`,
    ...[...suites].flatMap(([name, members]) => [
      `  <testsuite name="${escapeXml(name)}" ${counts(members)}>`,
      ...members.flatMap(caseLines),
      "  </testsuite>",
    ]),
    "</testsuites>",
  ];
  return `${lines.join("\n")}\n`;
}

function counts(cases: readonly FinishedCase[]): string {
  const seconds = cases.reduce((sum, { durationMs }) => sum + durationMs, 0) / 1000;
  const failures = cases.filter(isFailed).length;
  const skipped = cases.filter(isSkipped).length;
  return `tests="${cases.length}" failures="${failures}" skipped="${skipped}" time="${seconds.toFixed(3)}"`;
}

function caseLines(each: FinishedCase): readonly string[] {
  const { test, name, location, skipped, mismatches, quotas = [], durationMs } = each;
  const place = `file="${escapeXml(location.file)}" line="${location.line}"`;
  const time = `time="${(durationMs / 1000).toFixed(3)}"`;
  const open = `    <testcase classname="${escapeXml(test)}" name="${escapeXml(name)}" ${place} ${time}`;
  if (skipped !== undefined)
    return [`${open}>`, `      <skipped message="${escapeXml(skipped)}"/>`, "    </testcase>"];
  const [first, ...more] = mismatches.map(
    ({ what, expected, got }) => `${what}: expected ${expected}, got ${got}`,
  );
  if (first === undefined) return [`${open}/>`];
  const all = escapeXml([first, ...more, ...quotas.map(quotaText)].join("\n"));
  return [`${open}>`, `      <failure message="${escapeXml(first)}">${all}</failure>`, "    </testcase>"];
}

/** Characters that XML 1.0 does not allow are replaced by U+FFFD. */
function escapeXml(text: string): string {
  return text
    .replace(/[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu, "\uFFFD")
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("\n", "&#10;");
}
