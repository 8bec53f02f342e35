// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { AttributeReference } from "../../expressions/runtime/reads/reference.ts";
import { decide } from "../check/decide.ts";
import type { QuotaCharge } from "../quota/quota-charge.ts";
import { formatDocumentRef } from "../check/document-ref.ts";
import type { Fault } from "../check/evaluation.ts";
import { type CheckPlan, planChecks } from "../check/plan.ts";
import type { CheckDispatch } from "../check/ports.ts";
import { planReports } from "../report/plan.ts";
import type { ReportPlan } from "../report/report-source.ts";
import { evaluateReport } from "../report/report.ts";
import type { Snapshot } from "../snapshot/snapshot.ts";
import type { MetricInstance } from "../templates/instances.ts";
import type { LogRecord } from "./record.ts";
import { type RequestOutcome, requestOutcomeOf } from "./request-outcome.ts";

export interface Judgement {
  readonly outcome: RequestOutcome;
  readonly charges: readonly QuotaCharge[];
  readonly referenced: readonly AttributeReference[];
  /** Faults during the decision, whether or not they affected it. */
  readonly faults: readonly { readonly document: string; readonly fault: Fault }[];
}

/** A set of documents for replaying recorded requests. */
export class ReplaySet {
  readonly snapshot: Snapshot;
  readonly #checks: CheckPlan;
  readonly #reports: ReportPlan;
  readonly #dispatch: CheckDispatch;

  constructor(snapshot: Snapshot, dispatch: CheckDispatch) {
    this.snapshot = snapshot;
    this.#dispatch = dispatch;
    this.#checks = planChecks(snapshot);
    const { metrics, rules } = snapshot;
    // Of telemetry, replay compares only metrics.
    this.#reports = planReports({ metrics, rules, logEntries: [], traceSpans: [] });
  }

  /** The decision of these documents, at the time of the request. */
  async judge({ requestBag, requestTimeMs }: LogRecord): Promise<Judgement> {
    const faults: { document: string; fault: Fault }[] = [];
    const decision = await decide(this.#checks, requestBag, {
      nowMs: requestTimeMs,
      dispatch: this.#dispatch,
      observer: {
        outcome: () => {},
        fault: (ref, fault) => void faults.push({ document: formatDocumentRef(ref), fault }),
      },
    });
    const { charges, referenced } = decision;
    return { outcome: requestOutcomeOf(decision), charges, referenced, faults };
  }

  /** The metrics of these documents for the finished request. */
  async metrics({ line, timeMs }: LogRecord): Promise<readonly MetricInstance[]> {
    const items = await evaluateReport(this.#reports, line.bag as LogRecord["requestBag"], { timeMs });
    return items.flatMap((item) => (item.template === "metric" ? [item.instance] : []));
  }
}
