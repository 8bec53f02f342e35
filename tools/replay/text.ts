// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { ChangeFinding, Example } from "../../core/replay/changes.ts";
import type { Count } from "../../core/replay/count.ts";
import type { ComparedQuota, ReplayReport } from "../../core/replay/replay.ts";
import type { UnreliableRead } from "../../core/replay/reliability.ts";
import type { SeriesFinding } from "../../core/replay/series.ts";
import type { RequestOutcome } from "../../core/replay/request-outcome.ts";
import { visible } from "../terminal.ts";
import type { Malformed } from "./read-logs.ts";

export interface ReplayOutcome {
  readonly report: ReplayReport;
  readonly malformed: { readonly count: number; readonly first: readonly Malformed[] };
  readonly unanswered: ReadonlyMap<string, number>;
  readonly failed: readonly string[];
}

/** The report as plain text. */
export function reportText({ report, malformed, unanswered, failed }: ReplayOutcome): string {
  const sections = [
    head(report, malformed),
    ["Decisions", ...row("unchanged", report.unchanged), ...report.changes.flatMap(changeLines)],
    section("Quotas, on the time of the records", report.quotas.flatMap(quotaLines), quotaNotes(report)),
    section("Series", report.series.map(seriesLine)),
    section(
      "Failures met on the way",
      report.faults.flatMap(({ name, ...count }) => row(name, count)),
    ),
    section("Doubtful", [
      ...report.unreliable.map(doubt),
      ...[...unanswered].map(
        ([handler, count]) =>
          `  handler ${handler} was not asked, since it needs a backend: ${number(count)} questions count as passed`,
      ),
    ]),
    failed.length === 0 ? [] : [`Failed on: ${failed.join(", ")}`],
  ];
  return `${sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.map(visible).join("\n"))
    .join("\n\n")}\n`;
}

function head(report: ReplayReport, malformed: ReplayOutcome["malformed"]): readonly string[] {
  const { requests, unchecked, first, last, against } = report;
  const span = first === undefined ? "" : `, from ${first} to ${last}`;
  const than = against === "recording" ? "what was recorded" : "the baseline";
  const hidden = malformed.count - malformed.first.length;
  return [
    `${counted(requests)} requests${span}; compared with ${than}`,
    ...(unchecked.observed === 0
      ? []
      : [`${counted(unchecked)} were not checked where they were recorded: only their metrics count`]),
    ...(malformed.count === 0 ? [] : [`${number(malformed.count)} lines are malformed and left out:`]),
    ...malformed.first.map(({ where, problem }) => `  ${where}: ${problem}`),
    ...(hidden > 0 ? [`  and ${number(hidden)} more`] : []),
  ];
}

function section(title: string, ...parts: readonly (readonly string[])[]): readonly string[] {
  const lines = parts.flat();
  return lines.length === 0 ? [] : [title, ...lines];
}

function changeLines({ change, policies, ...count }: ChangeFinding): readonly string[] {
  return [
    ...row(change.replaceAll("-", " "), count),
    ...policies.flatMap(({ policy, examples, ...part }) => [
      `    ${policy}: ${counted(part)}`,
      ...examples.map(exampleLine),
    ]),
  ];
}

function exampleLine({ where, id, time, request, before, after, unreliable }: Example): string {
  const doubtful = unreliable.length === 0 ? "" : " (unreliable)";
  const name = id === undefined ? "" : ` ${id}`;
  return `      ${where} ${time}${name} ${request}: ${told(before)} -> ${told(after)}${doubtful}`;
}

function told({ kind, code, message }: RequestOutcome): string {
  return kind === "allowed" || message === undefined || message === ""
    ? code
    : `${code} ${JSON.stringify(message)}`;
}

function quotaLines(quota: ComparedQuota): readonly string[] {
  const { policy, mode, charged, refused, beyond, refusedBefore, refusedKeys, topKeys } = quota;
  const shadow = mode === "shadow" ? " (shadow)" : "";
  const keys = refusedKeys === 0 ? "" : `, of ${number(refusedKeys)} ${refusedKeys === 1 ? "key" : "keys"}`;
  const passed = beyond.observed === 0 ? "" : `; ${counted(beyond)} drew on another quota or were degraded`;
  return [
    `  ${policy}${shadow}: ${counted(refused)} of ${counted(charged)} refused${keys}${passed}; before: ${counted(refusedBefore)}`,
    ...topKeys.map(({ name, ...count }) => `    ${name}: ${counted(count)}`),
  ];
}

function quotaNotes({ quotaNotes: { late, uncounted } }: ReplayReport): readonly string[] {
  return [
    ...(late === 0
      ? []
      : [`  ${number(late)} records came after younger ones and were counted at their time`]),
    ...(uncounted === 0 ? [] : [`  ${number(uncounted)} charges found no room and were not counted`]),
  ];
}

function seriesLine({ metric, series, added, removed, more, labels }: SeriesFinding): string {
  const changed = added === undefined ? "" : ` (${number(added)} new, ${number(removed ?? 0)} gone)`;
  const sizes = labels.map(
    ({ label, values, redacted }) => `${label} ${number(values)}${redacted ? " (redacted)" : ""}`,
  );
  const of = sizes.length === 0 ? "" : `; values: ${sizes.join(", ")}`;
  return `  ${metric}: ${more ? "more than " : ""}${number(series)} series${changed}${of}`;
}

const WHAT: Readonly<Record<UnreliableRead["reason"], string>> = {
  redacted: "which the log redacts: unreliable",
  hashed: "which the log hashes: as a key it counts the same, compared with a text it does not",
  cut: "which the log cuts: unreliable",
};

function doubt({ attribute, reason, ...count }: ReplayReport["unreliable"][number]): string {
  return `  ${counted(count)} decisions read ${attribute}, ${WHAT[reason]}`;
}

function row(name: string, count: Count): readonly string[] {
  return [`  ${name}: ${counted(count)}`];
}

function counted({ observed, estimated }: Count): string {
  return observed === estimated ? number(observed) : `${number(observed)} (about ${number(estimated)})`;
}

function number(value: number): string {
  return value.toLocaleString("en-US");
}
