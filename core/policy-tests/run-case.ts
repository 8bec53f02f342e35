// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { AttributeBag } from "../attributes/bag.ts";
import { canonicalBag } from "../attributes/canonical-bag.ts";
import { Malformed } from "../../kernel/canonical/malformed.ts";
import type { PathNormalization } from "../../kernel/canonical/path.ts";
import { verdictOf } from "../verdict/verdict-of.ts";
import { textOfEvent } from "../quota/beyond/beyond-event.ts";
import type { ChargedBeyond } from "../quota/beyond/charge-beyond.ts";
import type { QuotaOutcome, SingleCharge } from "../quota/quota-charge.ts";
import type { QuotaPolicy } from "../snapshot/snapshot.ts";
import type { CheckPlan } from "../check/plan.ts";
import type { CheckDispatch } from "../check/ports.ts";
import type { PolicyTestCase, PolicyTestSpec, PolicyTestStep } from "../documents/kinds/policy-test.ts";
import type { Coverage } from "../explain/coverage.ts";
import { explainDecision, type ExplainedResult } from "../explain/explain-decision.ts";
import type { Explanation } from "../explain/explanation.ts";
import type { Tracer } from "../../expressions/tracing/traced-expression.ts";
import { parseDurationMs } from "../../kernel/duration.ts";
import type { ReportPlan } from "../report/report-source.ts";
import { evaluateReport } from "../report/report.ts";
import { mergeBags } from "./bags.ts";
import { CaseQuotas } from "./case-quotas.ts";
import { bagParts, type TestCase } from "./expand-cases.ts";
import { type StepQuota, stepQuotas } from "./step-quotas.ts";
import { decisionMismatches, decisionWord, type Mismatch, mismatch, reportMismatches } from "./mismatches.ts";

/** Environment of the cases of one test. */
export interface TestBench {
  readonly spec: PolicyTestSpec;
  readonly checkPlan: CheckPlan;
  readonly reportPlan: ReportPlan;
  /** Bags are canonicalized as in a proxy, so that a test decides as production does. */
  readonly pathNormalization: PathNormalization;
  readonly tracer: Tracer;
  readonly coverage: Coverage;
  /** Milliseconds since the epoch of an ISO 8601 time. */
  readonly parseTime: (text: string) => number;
  /** The set's quota policies; each case has new stores. */
  readonly quotaPolicies: readonly QuotaPolicy[];
}

export interface CaseResult {
  readonly mismatches: readonly Mismatch[];
  /** Explanation of the last decision that did not match. */
  readonly explanation?: Explanation;
  /** The quotas of the request that failed, of a case with steps. */
  readonly quotas?: readonly StepQuota[];
}

/** Time of tests without `now`. */
const DEFAULT_NOW = "2026-01-01T00:00:00Z";

/** Runs a case that is not skipped. Rejects only because of a defect of this function. */
export async function runCase(test: TestCase, bench: TestBench): Promise<CaseResult> {
  const { written, expect } = test;
  const bag = canonicalBag(test.bag, bench.pathNormalization);
  if (bag instanceof Malformed) return { mismatches: [noSuchRequest(bag)] };
  const nowMs = bench.parseTime(written.now ?? bench.spec.now ?? DEFAULT_NOW);
  if (written.steps !== undefined) return runSteps(written.steps, test, nowMs, bench);
  const mismatches: Mismatch[] = [];
  let explained: ExplainedResult | undefined;
  if (expect !== undefined) {
    explained = await decideBag(bag, nowMs, written, bench);
    mismatches.push(...decisionMismatches(expect, explained.decision));
  }
  const wrongDecision = mismatches.length > 0;
  if (written.metrics !== undefined || written.logs !== undefined) {
    const items = await evaluateReport(bench.reportPlan, bag, {
      timeMs: nowMs,
      onFault: ({ kind, name }, { detail }) =>
        mismatches.push({ what: `${kind} ${name}`, expected: "no fault", got: detail }),
    });
    mismatches.push(...reportMismatches(written, items));
  }
  return { mismatches, ...(wrongDecision && explained ? { explanation: explained.explanation } : {}) };
}

async function runSteps(
  steps: readonly PolicyTestStep[],
  { written }: TestCase,
  startMs: number,
  bench: TestBench,
): Promise<CaseResult> {
  let nowMs = startMs;
  const clock = { nowMs: () => nowMs, monotonicMs: () => nowMs - startMs };
  const quotas = new CaseQuotas(bench.quotaPolicies, clock);
  for (const [index, step] of steps.entries()) {
    const atMs = startMs + (parseDurationMs(step.at) as number);
    if (atMs < nowMs)
      return {
        mismatches: [{ what: `steps[${index}].at`, expected: "a time after the step above", got: step.at }],
      };
    nowMs = atMs;
    const merged = mergeBags([...bagParts(written, bench.spec), ...bagParts(step, bench.spec)]);
    const bag = canonicalBag(merged, bench.pathNormalization);
    if (bag instanceof Malformed) return { mismatches: [noSuchRequest(bag)] };
    // The same bag at the same time has the same decision, so one evaluation serves all repetitions.
    const explained = await decideBag(bag, nowMs, written, bench);
    const { times = 1 } = step;
    for (let time = 1; time <= times; time++) {
      const which = `steps[${index}] at ${step.at}${times > 1 ? `, request ${time} of ${times}` : ""}`;
      const charged = await quotas.charge(explained.decision.charges);
      const mismatches = stepMismatches(step, explained, charged, which, time === times);
      if (mismatches.length > 0)
        return { mismatches, explanation: explained.explanation, quotas: stepQuotas(charged, bag) };
    }
  }
  return { mismatches: [] };
}

/** Mismatch for a bag without a canonical form, which a proxy refuses before it asks any policy. */
function noSuchRequest({ reason }: Malformed): Mismatch {
  return { what: "the bag", expected: "a request that a proxy lets through", got: reason };
}

function stepMismatches(
  step: PolicyTestStep,
  { decision }: ExplainedResult,
  { charges, outcomes, events }: ChargedBeyond,
  which: string,
  isLast: boolean,
): readonly Mismatch[] {
  const { outcome } = verdictOf({ ...decision, charges }, outcomes);
  const refusal = outcome.kind === "allow" ? undefined : outcome;
  const code = refusal?.status.code ?? "OK";
  // Remaining amount of the quota with least left.
  const remaining = leastRemaining(charges, outcomes);
  const wrong = mismatch(which, step.expect, decisionWord(code, step.expect));
  if (wrong.length > 0) return wrong;
  const seconds = (durationMs: number) => `${Math.ceil(durationMs / 1000)}s`;
  return [
    ...(step.decidedBy === undefined
      ? []
      : mismatch(`${which}: decidedBy`, step.decidedBy, refusal?.decidedBy?.name ?? null)),
    ...(step.remaining === undefined || !isLast
      ? []
      : mismatch(`${which}: remaining`, step.remaining, remaining)),
    ...(step.beyond === undefined ? [] : mismatch(`${which}: beyond`, step.beyond, events.map(textOfEvent))),
    ...(step.retryAfter === undefined
      ? []
      : mismatch(
          `${which}: retryAfter`,
          seconds(parseDurationMs(step.retryAfter) as number),
          outcome.kind === "limit" ? seconds(outcome.retryAfterMs) : null,
        )),
  ];
}

/** A quota that another one or nothing replaced, with an amount of 0, does not count among several. */
function leastRemaining(charges: readonly SingleCharge[], outcomes: readonly QuotaOutcome[]): number | null {
  const charged = outcomes.filter((_, index) => (charges[index] as SingleCharge).amount > 0);
  const counted = charged.length === 0 ? outcomes : charged;
  return counted.length === 0 ? null : Math.min(...counted.map(({ remaining }) => remaining));
}

function decideBag(
  bag: AttributeBag,
  nowMs: number,
  { handlers = {} }: PolicyTestCase,
  { checkPlan, tracer, coverage }: TestBench,
): Promise<ExplainedResult> {
  const dispatch: CheckDispatch = {
    attributeSources: [],
    ask(handler) {
      const answer = Object.hasOwn(handlers, handler) ? handlers[handler] : undefined;
      return answer && { status: { code: answer.status, message: answer.message ?? "" } };
    },
  };
  return explainDecision(
    checkPlan,
    bag,
    { nowMs, dispatch },
    { tracer, onTrace: (ref, field, trace) => coverage.add(ref, field, trace) },
  );
}
