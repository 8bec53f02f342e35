// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

/** The templates whose instances handlers take; the words are Mixer's. */
export const TEMPLATE_NAMES = [
  "listentry",
  "checknothing",
  "headers",
  "authorization",
  "quota",
  "metric",
  "logentry",
  "tracespan",
  "decision",
] as const;

export type TemplateName = (typeof TEMPLATE_NAMES)[number];

/** When a template's instances are created, and how the answer is used. */
export const TEMPLATE_VARIETY = {
  listentry: "check",
  checknothing: "check",
  headers: "check",
  authorization: "check",
  quota: "quota",
  metric: "report",
  logentry: "report",
  tracespan: "report",
  decision: "report",
} as const satisfies Readonly<Record<TemplateName, "check" | "quota" | "report">>;
