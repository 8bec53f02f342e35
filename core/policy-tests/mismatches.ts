// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { Decision } from "../check/decision.ts";
import type { DocumentRef } from "../check/document-ref.ts";
import type { PolicyExpectation, PolicyTestCase } from "../documents/kinds/policy-test.ts";
import { httpStatusOfDecision } from "../verdict/reply.ts";
import type { ReportItem } from "../report/report.ts";
import type { HeaderOperation } from "../templates/instances.ts";

/** An expectation that does not hold; both sides as JSON text. */
export interface Mismatch {
  readonly what: string;
  readonly expected: string;
  readonly got: string;
}

/** Equality as JSON, in any order of keys. */
function isSame(a: unknown, b: unknown): boolean {
  return canonical(a) === canonical(b);
}

function canonical(value: unknown): string {
  return (
    JSON.stringify(value, (_, member: unknown) =>
      typeof member === "object" && member !== null && !Array.isArray(member)
        ? Object.fromEntries(Object.entries(member).toSorted(([a], [b]) => (a < b ? -1 : 1)))
        : member,
    ) ?? "nothing"
  );
}

export function mismatch(what: string, expected: unknown, got: unknown): readonly Mismatch[] {
  return isSame(expected, got) ? [] : [{ what, expected: canonical(expected), got: canonical(got) }];
}

/** `allow`, or the code of the refusal; `deny` if only that is expected. */
export function decisionWord(code: string, expected: string | undefined): string {
  if (code === "OK") return "allow";
  return expected === "deny" ? "deny" : code;
}

export function decisionMismatches(expect: PolicyExpectation, decision: Decision): readonly Mismatch[] {
  const { status, decidedBy } = decision;
  const names = (refs: readonly DocumentRef[]) => refs.map(({ name }) => name);
  const got: Readonly<Record<keyof PolicyExpectation, unknown>> = {
    decision: decisionWord(status.code, expect.decision),
    httpStatus: httpStatusOfDecision(decision),
    message: status.message,
    decidedBy: decidedBy?.name ?? null,
    requestHeaders: headersOf(decision.requestHeaders, expect.requestHeaders),
    responseHeaders: headersOf(decision.responseHeaders, expect.responseHeaders),
    shadowDenials: names(decision.shadowDenials),
    audits: names(decision.audits),
    charges: decision.charges.map((charge, index) => {
      // Of each charge, only the expected fields.
      const asked = Object.keys(expect.charges?.[index] ?? { policy: "", amount: 0, limit: 0, cell: "" });
      return Object.fromEntries(asked.map((field) => [field, charge[field as "policy"]]));
    }),
  };
  return Object.entries(expect).flatMap(([field, expected]) =>
    expected === undefined ? [] : mismatch(field, expected, got[field as keyof PolicyExpectation]),
  );
}

/** The results of the expected headers' operations, in the form that tests write. */
function headersOf(
  operations: readonly HeaderOperation[],
  expected: PolicyExpectation["requestHeaders"] = {},
): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  for (const asked of Object.keys(expected)) {
    for (const { operation, name, value } of operations) {
      if (name !== asked.toLowerCase()) continue;
      const before = result[asked];
      if (operation === "remove") result[asked] = null;
      else if (operation === "set") result[asked] = value;
      else if (typeof before === "string") result[asked] = [before, value];
      else result[asked] = [...(Array.isArray(before) ? (before as unknown[]) : []), value];
    }
  }
  return result;
}

/** Expected metrics and logs that were not reported, each with the reported instances of the same name. */
export function reportMismatches(
  { metrics, logs }: PolicyTestCase,
  items: readonly ReportItem[],
): readonly Mismatch[] {
  const reported = (template: ReportItem["template"]) =>
    items.filter((item) => item.template === template).map(({ instance }) => instance as unknown as Fields);
  return [
    ...(metrics === undefined ? [] : missing("metrics", metrics, reported("metric"))),
    ...(logs === undefined ? [] : missing("logs", logs, reported("logentry"))),
  ];
}

type Fields = Readonly<Record<string, unknown>>;

function missing(
  what: string,
  expected: readonly Fields[],
  reported: readonly Fields[],
): readonly Mismatch[] {
  const shown = (instance: Fields, fields: readonly string[]) =>
    Object.fromEntries(fields.map((field) => [field, instance[field]]));
  if (expected.length === 0) return mismatch(what, [], [...new Set(reported.map(({ name }) => name))]);
  return expected.flatMap((wanted, index) => {
    const fields = Object.keys(wanted);
    if (reported.some((instance) => includes(instance, wanted))) return [];
    const near = reported
      .filter(({ name }) => name === wanted["name"])
      .map((instance) => shown(instance, fields));
    return [
      {
        what: `${what}[${index}]`,
        expected: canonical(wanted),
        got: canonical(near.length > 0 ? near : null),
      },
    ];
  });
}

/** Whether `instance` has the wanted values; maps may have more entries. */
function includes(instance: Fields, wanted: Fields): boolean {
  return Object.entries(wanted).every(([key, value]) => {
    const given = instance[key];
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? typeof given === "object" && given !== null && includes(given as Fields, value as Fields)
      : isSame(given, value);
  });
}
