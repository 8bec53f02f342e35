// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { isPurserError } from "../../../../kernel/errors.ts";
import { type BackendScript, MISBEHAVIOURS, refusingAddress, startFakeBackend } from "../fake-backend.ts";
import { type AdapterSubject, callAll, deadlineOf, type SettledCall, withHandler } from "./adapter-calls.ts";
import type { ContractClause } from "./clause.ts";

/** Clauses for adapters that talk to a server. */
export const ADAPTER_BACKEND_CLAUSES: readonly ContractClause<AdapterSubject>[] = [
  ...Object.entries(MISBEHAVIOURS).map(
    ([behaviour, script]): ContractClause<AdapterSubject> => ({
      name: `survives a backend that ${behaviour}`,
      check: (subject) => survives(subject, script),
    }),
  ),
  { name: "tells retryable and permanent errors apart", check: tellsErrorsApart },
];

async function survives(subject: AdapterSubject, script: BackendScript): Promise<readonly string[]> {
  const calls = await callsToBackend(subject, script);
  return calls.flatMap((call) =>
    call.outcome.kind === "late"
      ? [`${call.label} neither answered nor failed within ${deadlineOf(subject)} ms`]
      : [],
  );
}

async function tellsErrorsApart(subject: AdapterSubject): Promise<readonly string[]> {
  const { backend } = subject.options;
  const scenarios: (readonly [string, BackendScript | undefined, boolean, boolean])[] = [
    ["a backend that refuses connections", undefined, true, false],
    ["a backend that resets", MISBEHAVIOURS.resets, true, false],
  ];
  if (backend?.retryable !== undefined) scenarios.push(["a busy backend", backend.retryable, true, true]);
  if (backend?.permanent !== undefined) scenarios.push(["a final refusal", backend.permanent, false, true]);
  const failures: string[] = [];
  for (const [what, script, retryable, mustReject] of scenarios) {
    for (const { template, label, outcome } of await callsToBackend(subject, script)) {
      if (outcome.kind === "late") failures.push(`${label} did not end in time with ${what}`);
      else if (outcome.kind === "answered") {
        if (mustReject && backend?.kept?.includes(template) !== true)
          failures.push(`${label} succeeded with ${what}`);
      } else if (!isPurserError(outcome.error)) {
        failures.push(`${label} failed with something other than a PurserError with ${what}`);
      } else if (outcome.error.retryable !== retryable) {
        failures.push(`${label} said retryable: ${!retryable} with ${what}`);
      }
    }
  }
  return failures;
}

/**
 * Calls every template once, against a backend with this script; without a script, against an address that
 * refuses connections.
 */
async function callsToBackend(
  subject: AdapterSubject,
  script: BackendScript | undefined,
): Promise<readonly SettledCall[]> {
  const backend = script === undefined ? undefined : await startFakeBackend(script);
  try {
    const config = subject.options.backend?.config(backend?.address ?? (await refusingAddress())) ?? {};
    return await withHandler(subject, { config }, (handler) => callAll(handler, subject));
  } finally {
    await backend?.close();
  }
}
