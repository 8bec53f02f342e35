// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import Type, { type Static, type TSchema } from "typebox";
import { MapOf } from "./map-of.ts";
import Value from "typebox/value";
import { STATUS_CODES } from "../../../kernel/status.ts";
import { SEVERITIES } from "../../templates/instances.ts";
import { formOf } from "../schema/form.ts";
import { Choice, Closed, Duration } from "./fields.ts";
import type { KindDefinition } from "./kind.ts";
import type { SpecFault } from "../../../kernel/diagnostic.ts";

const Bag = (description: string) => MapOf(Type.Unknown(), { description });

const Time = (description: string) =>
  Type.String({
    pattern:
      "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]{1,3})?)?(Z|[+-][0-9]{2}:[0-9]{2})$",
    description,
  });

const Fixtures = () =>
  Type.Optional(Type.Array(Type.String(), { description: "Fixtures to merge, in order, below `bag`." }));

const OwnBag = () => Type.Optional(Bag("Attributes, merged over the fixtures; null removes an attribute."));

const DECISIONS = ["allow", "deny", ...STATUS_CODES.filter((code) => code !== "OK")];

const Decision = (description: string) => Choice(DECISIONS, description);

const Headers = (description: string) =>
  MapOf(
    Type.Union([Type.String(), Type.Array(Type.String()), Type.Null()], {
      description: "The value that is set, a list of values that are appended, or null for a removed header.",
    }),
    { description },
  );

const Names = (description: string) => Type.Array(Type.String(), { description });

const EXPECTATIONS = {
  decision: Type.Optional(Decision("allow, deny for any refusal, or the status code of a refusal.")),
  httpStatus: Type.Optional(Type.Integer({ description: "The HTTP status of a refusal." })),
  message: Type.Optional(Type.String({ description: "Message to the client." })),
  decidedBy: Type.Optional(
    Type.Union([Type.String(), Type.Null()], { description: "The document that refuses; null for none." }),
  ),
  requestHeaders: Type.Optional(Headers("Changes to the request's headers; other headers are not checked.")),
  responseHeaders: Type.Optional(
    Headers("Changes to the response's headers; other headers are not checked."),
  ),
  shadowDenials: Type.Optional(Names("All documents in shadow mode that would have refused.")),
  audits: Type.Optional(Names("All AUDIT policies that are true.")),
  charges: Type.Optional(
    Type.Array(
      Closed({
        policy: Type.String(),
        amount: Type.Optional(Type.Integer()),
        limit: Type.Optional(Type.Integer({ description: "After overrides." })),
        cell: Type.Optional(Type.String({ description: "The count's name." })),
      }),
      { description: "All quotas that are charged, in document order." },
    ),
  ),
};

const Expectation = Closed(EXPECTATIONS, {
  description: "The expected decision; absent fields are not checked.",
});

const Step = Closed({
  at: Duration("Time after the start of the case; not before the previous step."),
  times: Type.Optional(
    Type.Integer({ minimum: 1, maximum: 10_000, description: "Number of requests; default 1." }),
  ),
  fixtures: Fixtures(),
  bag: OwnBag(),
  expect: Decision("The answer to each of them; RESOURCE_EXHAUSTED when a quota is exceeded."),
  decidedBy: Type.Optional(Type.String({ description: "The document that refuses." })),
  remaining: Type.Optional(
    Type.Integer({ description: "Amount left, after the last request, of the quota with the least left." }),
  ),
  beyond: Type.Optional(
    Type.Array(Type.String(), {
      description:
        "The steps beyond limits that each request takes, such as `per-user: degraded` or `per-user: drawn from credit`; requests of tests never wait.",
    }),
  ),
  retryAfter: Type.Optional(Duration("Time that the client is told to wait, in whole seconds.")),
});

const Case = Closed({
  name: Type.String({ minLength: 1, description: "The case's name, for reports and --filter." }),
  skip: Type.Optional(Type.String({ minLength: 1, description: "Why the case is not run." })),
  fixtures: Fixtures(),
  bag: OwnBag(),
  now: Type.Optional(Time("The time of $now(); default: the test's.")),
  handlers: Type.Optional(
    MapOf(
      Closed({
        status: Choice(STATUS_CODES, "OK, or the code of a refusal."),
        message: Type.Optional(Type.String()),
      }),
      { description: "Answers of handlers to check Rules; a handler without an entry does not answer." },
    ),
  ),
  expect: Type.Optional(Expectation),
  table: Type.Optional(
    Closed(
      {
        columns: Type.Array(
          Type.String({ description: "A dotted attribute, or expect.X for a field of `expect`." }),
          { minItems: 1 },
        ),
        rows: Type.Array(Type.Array(Type.Unknown()), { minItems: 1 }),
      },
      { description: "Runs the case once for each row; null removes an attribute." },
    ),
  ),
  steps: Type.Optional(
    Type.Array(Step, {
      minItems: 1,
      description: "Requests over time, counted by a memory store.",
    }),
  ),
  metrics: Type.Optional(
    Type.Array(
      Closed({
        name: Type.String(),
        labels: Type.Optional(MapOf(Type.String())),
        value: Type.Optional(Type.Number()),
      }),
      { description: "Metrics expected for the bag, besides others; an empty list means none at all." },
    ),
  ),
  logs: Type.Optional(
    Type.Array(
      Closed({
        name: Type.String(),
        severity: Type.Optional(Choice(SEVERITIES, "The entry's severity.")),
        variables: Type.Optional(MapOf(Type.Unknown())),
      }),
      { description: "Log entries expected for the bag, besides others; an empty list means none at all." },
    ),
  ),
});

const PolicyTestSpec = Closed({
  policies: Type.Array(Type.String({ minLength: 1 }), {
    minItems: 1,
    description: "Files and folders of the documents under test, relative to this file.",
  }),
  now: Type.Optional(Time("The time of $now(); default 2026-01-01T00:00:00Z.")),
  fixtures: Type.Optional(MapOf(Bag("A part of a bag."), { description: "Parts of bags, by name." })),
  cases: Type.Array(Case, { minItems: 1, description: "The test cases." }),
});

export type PolicyTestSpec = Static<typeof PolicyTestSpec>;
export type PolicyTestCase = Static<typeof Case>;
export type PolicyTestStep = Static<typeof Step>;
export type PolicyExpectation = Static<typeof Expectation>;

export const POLICY_TEST = {
  kind: "PolicyTest",
  apiVersions: ["purser.dev/v1"],
  description: "Tests of policies: bags with expected decisions. Only `purser test` reads them.",
  spec: PolicyTestSpec,
  check: checkPolicyTest,
} as const satisfies KindDefinition;

function checkPolicyTest({ fixtures = {}, cases }: PolicyTestSpec): readonly SpecFault[] {
  return cases.flatMap((test, index) => {
    const faults: SpecFault[] = [];
    const path = ["cases", index];
    const named = [test, ...(test.steps ?? [])].flatMap((part) => part.fixtures ?? []);
    for (const name of new Set(named)) {
      if (!Object.hasOwn(fixtures, name))
        faults.push({ path, message: `There is no fixture ${JSON.stringify(name)}` });
    }
    const { expect, table, steps, metrics, logs } = test;
    if ([expect, table, steps, metrics, logs].every((part) => part === undefined))
      faults.push({
        path,
        message: "The case expects nothing: give it expect, table, steps, metrics or logs",
      });
    if (steps !== undefined && [expect, table, metrics, logs].some((part) => part !== undefined))
      faults.push({ path: [...path, "steps"], message: "Steps have their own expectations and stand alone" });
    if (table !== undefined) faults.push(...faultsOfTable(table, [...path, "table"]));
    return faults;
  });
}

function faultsOfTable(
  { columns, rows }: NonNullable<PolicyTestCase["table"]>,
  path: SpecFault["path"],
): readonly SpecFault[] {
  const faults: SpecFault[] = [];
  const fields: Readonly<Record<string, TSchema>> = EXPECTATIONS;
  const expected = columns.map((column, index) => {
    if (!column.startsWith("expect.")) return undefined;
    const field = column.slice("expect.".length);
    if (Object.hasOwn(fields, field)) return fields[field];
    const known = Object.keys(fields).map((name) => `expect.${name}`);
    faults.push({ path: [...path, "columns", index], message: `${column} is none of ${known.join(", ")}` });
    return undefined;
  });
  for (const [rowIndex, row] of rows.entries()) {
    const at = [...path, "rows", rowIndex];
    if (row.length !== columns.length)
      faults.push({ path: at, message: `The row has ${row.length} values for ${columns.length} columns` });
    for (const [index, value] of row.entries()) {
      const schema = expected[index];
      if (schema !== undefined && !Value.Check(schema, value))
        faults.push({ path: [...at, index], message: `${columns[index]} must be ${formOf(schema)}` });
    }
  }
  return faults;
}
