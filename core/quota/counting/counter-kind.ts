// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { PeriodBounds } from "../period/calendar.ts";
import { type PeriodRule, periodText } from "../period/period-rule.ts";
import type { QuotaAlgorithm, QuotaCounting } from "../quota-definition.ts";

/** Kinds of counters: a fixed window has a counter for each way in which windows begin. */
export type CounterKind = Exclude<QuotaAlgorithm, "concurrency"> | "first-use-window" | "calendar-period";

/** The fields of a request, or of a policy, that select a count among those of one name. */
export interface CountSelector extends Omit<QuotaCounting, "period"> {
  readonly period?: PeriodBounds | PeriodRule;
}

export function counterKindOf({ algorithm, align, period }: CountSelector): CounterKind {
  // A slot is a unit of a sliding window that is given back when its request ends.
  if (algorithm === "concurrency") return "sliding-window";
  if (algorithm !== "fixed-window") return algorithm;
  if (period !== undefined) return "calendar-period";
  return align === "first-use" ? "first-use-window" : "fixed-window";
}

/**
 * The part of a count's name that its counting gives: the counter's kind, a colon, and the window in
 * milliseconds or the rule of the calendar periods. So an edit of either begins a new count, while the limit is
 * no part of the name: used amounts stay used, whatever limit applies.
 */
export function countingName(selector: CountSelector): string {
  return `${counterKindOf(selector)}:${ruleOf(selector) ?? selector.windowMs}`;
}

/** The rule of the calendar periods as text; undefined without periods. */
export function ruleOf({ period }: CountSelector): string | undefined {
  if (period === undefined) return undefined;
  return "rule" in period ? period.rule : periodText(period);
}
