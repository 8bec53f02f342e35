// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { AttributeBag } from "../attributes/bag.ts";
import type { RepeatedField } from "../attributes/repeated.ts";
import type { Meter } from "../../expressions/runtime/reads/meter.ts";
import { chain, type MaybePromise } from "../../kernel/maybe-promise.ts";
import type { Decision } from "./decision.ts";
import { largestCharges, MAX_READINGS, type Reading, type Tried, tryEachValue } from "./each-value.ts";
import type { CheckObserver } from "./ports.ts";

/** Decides one request by a single bag, and calls the observer. */
export type DecideOnce = (
  bag: AttributeBag,
  observer: CheckObserver,
  spent: Meter | undefined,
) => MaybePromise<{ readonly decision: Decision; readonly spent: Meter }>;

/** A decision and its observer calls, kept until it is known whether the decision is used. */
interface Noted extends Tried {
  readonly decision: Decision;
  readonly notes: Notes;
}

/**
 * Decides a request with repeated fields, once for each reading (each-value.ts). The request is allowed when
 * all these decisions allow it; otherwise the first refusal applies. The quotas charged for any single value
 * are charged. (Envoy evaluates each value since CVE-2026-26308: adding `x-role: user` must not bypass a DENY
 * on `x-role: admin`.)
 */
export function decideEachValue(
  bag: AttributeBag,
  fields: readonly RepeatedField[],
  decideOnce: DecideOnce,
  observer: CheckObserver | undefined,
): MaybePromise<Decision> {
  const decideNoted = (reading: AttributeBag, before: Meter | undefined): MaybePromise<Noted> => {
    const notes = new Notes();
    return chain(decideOnce(reading, notes, before), ({ decision, spent }) => ({
      decision,
      notes,
      spent,
      referenced: decision.referenced,
    }));
  };
  const tried = tryEachValue(bag, fields, decideNoted, ({ decision }) => decision.status.code !== "OK");
  return chain(tried, ({ all, ending, exceeded }) => {
    const chosen = ending ?? all[0].result;
    if (observer !== undefined) chosen.notes.replay(observer);
    const decision = combined(chosen.decision, all);
    return exceeded ? unjudged(decision) : decision;
  });
}

class Notes implements CheckObserver {
  readonly #calls: ((observer: CheckObserver) => void)[] = [];

  outcome: CheckObserver["outcome"] = (document, outcome) => {
    this.#calls.push((observer) => observer.outcome(document, outcome));
  };

  fault: CheckObserver["fault"] = (document, fault) => {
    this.#calls.push((observer) => observer.fault(document, fault));
  };

  attributeRefused: NonNullable<CheckObserver["attributeRefused"]> = (document, refused) => {
    this.#calls.push((observer) => observer.attributeRefused?.(document, refused));
  };

  replay(observer: CheckObserver): void {
    for (const call of this.#calls) call(observer);
  }
}

/** `chosen` with the reads, records and charges of all decisions, and the shortest validity. */
function combined(chosen: Decision, readings: readonly Reading<Noted>[]): Decision {
  const decisions = readings.map(({ result }) => result.decision);
  const refused = chosen.status.code !== "OK";
  return {
    ...chosen,
    validDurationMs: Math.min(...decisions.map(({ validDurationMs }) => validDurationMs)),
    validUseCount: Math.min(...decisions.map(({ validUseCount }) => validUseCount)),
    referenced: distinct(decisions.flatMap(({ referenced }) => referenced)),
    shadowDenials: distinct(decisions.flatMap(({ shadowDenials }) => shadowDenials)),
    audits: distinct(decisions.flatMap(({ audits }) => audits)),
    charges: refused
      ? []
      : largestCharges(readings.flatMap(({ result, single }) => (single ? result.decision.charges : []))),
  };
}

/** Refuses, because a value that was not evaluated might be refused. */
function unjudged(decision: Decision): Decision {
  return {
    ...decision,
    status: {
      code: "INVALID_ARGUMENT",
      message: "the request repeats more headers or query parameters than can be judged",
    },
    reason: {
      kind: "error",
      code: "PURSER_REQUEST_AMBIGUOUS",
      detail: `policies read repeated fields that can be read in more than ${MAX_READINGS} ways`,
    },
    requestHeaders: [],
    responseHeaders: [],
    charges: [],
  };
}

/** Distinct plain data, in order of first occurrence. */
function distinct<T>(values: readonly T[]): readonly T[] {
  const known = new Map<string, T>();
  for (const value of values) {
    const key = JSON.stringify(value);
    if (!known.has(key)) known.set(key, value);
  }
  return [...known.values()];
}
