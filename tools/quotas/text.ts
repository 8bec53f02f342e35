// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type {
  AdjustmentState,
  AuditEntry,
  AuditListing,
  CountState,
  QuotaKey,
  QuotaListing,
  QuotaPolicyState,
  TopListing,
} from "../../api/quota-operations.ts";
import type { TopAmounts } from "../../core/quota/top-keys.ts";
import { formatDurationMs, perDuration } from "../../kernel/duration.ts";
import { type Style, visible } from "../terminal.ts";
import { table } from "./table.ts";

/**
 * Reports on quotas: with a style, tables for people; without one, one record a line for other programs, its fields separated by
 * tabs, keys as JSON, times in milliseconds.
 */
export type Presentation = Style | undefined;

export function listText({ policies, cursor }: QuotaListing, style: Presentation): string {
  if (style === undefined) return records(policies.flatMap(plainRows));
  if (policies.length === 0) return "No QuotaPolicy is in force.\n";
  const sections = policies.map((policy) => policyLines(policy, style).join("\n"));
  const more =
    cursor === undefined ? [] : [style.dim("There are more counts: raise --limit, or name a --policy.")];
  return `${[...sections, ...more].join("\n\n")}\n`;
}

function plainRows({
  policy,
  counts,
  adjustments,
  error,
}: QuotaPolicyState): readonly (readonly unknown[])[] {
  return [
    ...counts.map(({ cell, key, used, limit, remaining, resetMs }) => [
      "count",
      policy,
      key === undefined ? cell : JSON.stringify(key),
      used,
      limit,
      remaining,
      Math.round(resetMs),
    ]),
    ...adjustments.map(({ kind, cell, key, limit, leftMs, keptIn, by, reason }) => [
      kind,
      policy,
      key === undefined ? cell : JSON.stringify(key),
      limit,
      Math.round(leftMs),
      keptIn,
      by,
      reason,
    ]),
    ...(error === undefined ? [] : [["error", policy, error.code, error.message]]),
  ];
}

function policyLines(state: QuotaPolicyState, style: Style): readonly string[] {
  const { policy, algorithm, windowMs, limit, overrides, mode, store, shared, counts, adjustments, error } =
    state;
  const facts = [
    `${number(limit)}${perDuration(windowMs)}, ${algorithm}`,
    ...(overrides.length === 0 ? [] : [`overrides ${overrides.map(number).join(", ")}`]),
    ...(mode === "shadow" ? ["in shadow"] : []),
    `store ${store}${shared ? ", shared" : ""}`,
  ];
  return [
    `${style.bold(visible(policy))}  ${visible(facts.join("; "))}`,
    ...(error === undefined ? [] : [style.bad(visible(`  ${error.message} [${error.code}]`))]),
    ...(counts.length === 0 && error === undefined ? ["  no count is in use"] : []),
    ...(counts.length === 0 ? [] : indented(countTable(counts, style))),
    ...adjustments.map((adjustment) => `  ${adjustmentLine(adjustment, style)}`),
  ];
}

function countTable(counts: readonly CountState[], style: Style): readonly string[] {
  const columns = [
    { title: "USED", right: true },
    { title: "LIMIT", right: true },
    { title: "REMAINING", right: true },
    { title: "RESETS IN", right: true },
    { title: "KEY" },
  ];
  const rows = counts.map(({ key, cell, used, limit, remaining, resetMs }) => [
    number(used),
    number(limit),
    number(remaining),
    about(resetMs),
    key === undefined ? `${visible(cell)} (a count that several keys share)` : keyText(key),
  ]);
  return table(columns, rows, style);
}

function adjustmentLine(adjustment: AdjustmentState, style: Style): string {
  const { kind, key, cell, limit, leftMs, keptIn, by, reason } = adjustment;
  const what = kind === "raise" ? style.good(`raised to ${number(limit)}`) : style.bad("blocked");
  const where = keptIn === "store" ? "all mixers of the store" : "this mixer alone";
  const who = key === undefined ? visible(cell) : keyText(key);
  return `${what}  ${who}  ${about(leftMs)} left, ${where}, by ${visible(by)}: ${visible(reason)}`;
}

export function topText({ policies }: TopListing, style: Presentation): string {
  if (style === undefined)
    return records(
      policies.flatMap(({ policy, periods }) =>
        periods.flatMap(({ agoMs, charged, refused }) =>
          (
            [
              ["charged", charged],
              ["refused", refused],
            ] as const
          ).flatMap(([what, { entries }]) =>
            entries.map(({ key, amount, over }) => [what, policy, key, amount, over, Math.round(agoMs)]),
          ),
        ),
      ),
    );
  const sections = policies.flatMap(({ policy, periods }) =>
    periods.flatMap(({ agoMs, current, charged, refused }) => {
      const when = current ? `since ${about(agoMs)} ago` : `the hour that began ${about(agoMs)} ago`;
      return (
        [
          ["amounts granted", charged],
          ["refusals", refused],
        ] as const
      ).flatMap(([what, amounts]) =>
        amounts.entries.length === 0
          ? []
          : [
              [`${style.bold(visible(policy))}  ${what}, ${when}`, ...topLines(policy, amounts, style)].join(
                "\n",
              ),
            ],
      );
    }),
  );
  return sections.length === 0 ? "Nothing was charged in the last hour.\n" : `${sections.join("\n\n")}\n`;
}

function topLines(
  policy: string,
  { total, overAtMost, entries }: TopAmounts,
  style: Style,
): readonly string[] {
  const columns = [
    { title: "AT MOST", right: true },
    { title: "AT LEAST", right: true },
    { title: "SHARE", right: true },
    { title: "KEY" },
  ];
  const rows = entries.map(({ key, amount, over }) => [
    number(amount),
    number(amount - over),
    `${((100 * amount) / total).toFixed(1)} %`,
    visible(key.startsWith(policy) ? key.slice(policy.length) : key),
  ]);
  const bound =
    overAtMost === 0
      ? `of ${number(total)} in all; exact`
      : `of ${number(total)} in all; no key is overestimated by more than ${number(Math.ceil(overAtMost))}`;
  return indented([...table(columns, rows, style), style.dim(bound)]);
}

export function auditText({ entries, forgotten }: AuditListing, style: Presentation): string {
  if (style === undefined)
    return records(
      entries.map(({ time, action, policy, key, by, reason, limit, forMs, changed, keptIn }) => [
        time,
        action,
        policy,
        JSON.stringify(key),
        limit ?? "",
        forMs ?? "",
        changed,
        keptIn,
        by,
        reason,
      ]),
    );
  if (entries.length === 0) return "No quota has been changed at this mixer since it started.\n";
  const columns = ["TIME", "ACTION", "QUOTA", "BY", "REASON"].map((title) => ({ title }));
  const rows = entries.map((entry) => [
    entry.time,
    entry.action,
    `${visible(entry.policy)} ${keyText(entry.key)}${detail(entry)}`,
    visible(entry.by),
    visible(entry.reason),
  ]);
  const older =
    forgotten === 0 ? [] : [style.dim(`${number(forgotten)} older changes are only in the mixer's log`)];
  return `${[...table(columns, rows, style), ...older].join("\n")}\n`;
}

function detail({ limit, forMs, changed }: AuditEntry): string {
  const parts = [
    ...(limit === undefined ? [] : [`to ${number(limit)}`]),
    ...(forMs === undefined ? [] : [`for ${formatDurationMs(forMs)}`]),
    ...(changed ? [] : ["nothing to change"]),
  ];
  return parts.length === 0 ? "" : ` (${parts.join(" ")})`;
}

/** One sentence about a change that was made. */
export function changeText(entry: AuditEntry, style: Presentation): string {
  if (style === undefined) return auditText({ entries: [entry], forgotten: 0 }, undefined);
  const { action, policy, key, limit = 0, forMs = 0, changed, keptIn } = entry;
  const count = `${visible(policy)} ${keyText(key)}`;
  const where = keptIn === "store" ? "for all mixers of its store" : "at this mixer alone";
  switch (action) {
    case "reset":
      return changed ? `${count}: what was used is forgotten.\n` : `${count}: nothing was used.\n`;
    case "raise":
      return `${count}: raised to ${number(limit)} for ${formatDurationMs(forMs)}, ${where}.\n`;
    case "block":
      return `${count}: blocked for ${formatDurationMs(forMs)}, ${where}. Leases that proxies hold end within the policy's lease.\n`;
    case "end-raise":
      return changed ? `${count}: the raise has ended.\n` : `${count}: there was no raise.\n`;
    case "end-block":
      return changed ? `${count}: the block has ended.\n` : `${count}: there was no block.\n`;
  }
}

/** The values of a key as the flag --key takes them. */
function keyText(key: QuotaKey): string {
  const parts = Object.entries(key).map(([name, value]) =>
    typeof value === "string" && !/[\s"]/.test(value) && value !== ""
      ? `${name}=${value}`
      : `${name}:=${JSON.stringify(value)}`,
  );
  return parts.length === 0 ? "(no key)" : visible(parts.join(" "));
}

function records(rows: readonly (readonly unknown[])[]): string {
  return rows.map((row) => `${row.map((field) => visible(String(field))).join("\t")}\n`).join("");
}

function indented(lines: readonly string[]): string[] {
  return lines.map((line) => `  ${line}`);
}

function number(value: number): string {
  return value.toLocaleString("en-US");
}

/** A duration for people, with its two largest units: 3m20s. */
function about(durationMs: number): string {
  if (durationMs < 1_000) return `${Math.max(0, Math.round(durationMs))}ms`;
  const s = Math.round(durationMs / 1_000);
  if (s < 60) return `${s}s`;
  if (s < 3_600) return `${Math.floor(s / 60)}m${s % 60}s`;
  if (s < 86_400) return `${Math.floor(s / 3_600)}h${Math.floor((s % 3_600) / 60)}m`;
  return `${Math.floor(s / 86_400)}d${Math.floor((s % 86_400) / 3_600)}h`;
}
