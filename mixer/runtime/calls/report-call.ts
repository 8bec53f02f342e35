// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { ReportRequest } from "../../../api/mixer-service.ts";
import { type AttributeBag, type AttributePath, valueAt } from "../../../core/attributes/bag.ts";
import { type DocumentRef, parseDocumentRef } from "../../../core/check/document-ref.ts";
import { messageOf } from "../../../kernel/errors.ts";
import { attempt, chain, type MaybePromise, reduceInOrder } from "../../../kernel/maybe-promise.ts";
import { evaluateReport } from "../../../core/report/report.ts";
import type { ActiveSnapshot } from "../active-snapshot.ts";
import { callHook } from "../handlers/hook-call.ts";
import type { CallTools } from "./check-call.ts";

type ReportTools = Omit<CallTools, "charger">;

const RESPONSE_TIME: AttributePath = ["response", "time"];
const REQUEST_TIME: AttributePath = ["request", "time"];
const CHECK_CACHE_HIT: AttributePath = ["check", "cache_hit"];
const QUOTA_CACHE_HIT: AttributePath = ["quota", "cache_hit"];
const POLICY: AttributePath = ["check", "policy"];
const SHADOW_DENIALS: AttributePath = ["check", "shadow_denials"];
const AUDITS: AttributePath = ["check", "audits"];

/** Puts what the documents tell of each bag into the handlers' queues. Never rejects on account of a bag. */
export function takeReport(
  active: ActiveSnapshot,
  { bags }: ReportRequest,
  tools: ReportTools,
): MaybePromise<void> {
  tools.metrics.reported(bags.length);
  const pause = pauses(tools);
  return reduceInOrder(bags, undefined as void, (_, bag) =>
    chain(pause(), () => {
      countUnseen(active, bag, tools);
      return chain(tell(active, bag, tools), () => tellPlugins(active, bag, tools));
    }),
  );
}

/** How long the bags of one report may keep others waiting, in milliseconds; the bag under way is told of in any case. */
const TURN_MS = 10;

/** Lets others have their turn when this report has had its own: the budget of expressions is for each bag. */
function pauses({ clock }: ReportTools): () => MaybePromise<void> {
  let startMs = clock.monotonicMs();
  return () => {
    if (clock.monotonicMs() - startMs < TURN_MS) return undefined;
    return new Promise((resolve) => {
      setImmediate(() => {
        startMs = clock.monotonicMs();
        resolve();
      });
    });
  };
}

function tell(active: ActiveSnapshot, bag: AttributeBag, { clock }: ReportTools): MaybePromise<void> {
  const timeMs = timeAt(bag, RESPONSE_TIME) ?? timeAt(bag, REQUEST_TIME) ?? clock.nowMs();
  const { version: snapshot } = active.snapshot;
  const context = { timeMs, snapshot, onFault: active.observer.fault };
  return chain(evaluateReport(active.reportPlan, bag, context), (items) => {
    for (const { handler, template, instance } of items) {
      active.table.entries.get(handler)?.handler.deliveries.get(template)?.offer(instance);
    }
  });
}

/**
 * Counts what the mixer has not seen: all of a decision that a proxy took from its cache, and of any other what the
 * proxy charged to its own leases. Documents that are not in force are left out, so that labels stay bounded.
 */
function countUnseen(active: ActiveSnapshot, bag: AttributeBag, { metrics }: ReportTools): void {
  const decisionUnseen = valueAt(bag, CHECK_CACHE_HIT) === true;
  const quotasUnseen = decisionUnseen || valueAt(bag, QUOTA_CACHE_HIT) === true;
  if (!quotasUnseen) return;
  const unseen = (path: AttributePath): readonly DocumentRef[] =>
    textsAt(bag, path)
      .filter((text) => active.documents.has(text))
      .flatMap((text) => parseDocumentRef(text) ?? [])
      .filter(({ kind }) => decisionUnseen || kind === "QuotaPolicy");
  metrics.noted({ denials: unseen(POLICY), shadowDenials: unseen(SHADOW_DENIALS), audits: unseen(AUDITS) });
}

function tellPlugins(
  active: ActiveSnapshot,
  bag: AttributeBag,
  { metrics, logger }: ReportTools,
): MaybePromise<void> {
  return reduceInOrder(active.watchers, undefined as void, (_, { handler, hooks }) =>
    attempt<void>(
      () =>
        handler.call(() =>
          chain(
            callHook((done) => hooks.reported.callAsync(bag, done)),
            () => undefined,
          ),
        ),
      (error) => {
        metrics.fault({ kind: "Handler", name: handler.name }, "PURSER_HANDLER_FAILED");
        logger.debug("a plugin failed to take a report", { handler: handler.name, error: messageOf(error) });
      },
    ),
  );
}

function timeAt(bag: AttributeBag, path: AttributePath): number | undefined {
  const value = valueAt(bag, path);
  const timeMs = typeof value === "string" ? Date.parse(value) : Number.NaN;
  return Number.isNaN(timeMs) ? undefined : timeMs;
}

/** A list's texts, or the one text that stands there. */
function textsAt(bag: AttributeBag, path: AttributePath): readonly string[] {
  const value = valueAt(bag, path);
  const values: readonly unknown[] = Array.isArray(value) ? value : [value];
  return values.filter((item) => typeof item === "string");
}
