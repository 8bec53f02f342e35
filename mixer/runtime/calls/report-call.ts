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

/**
 * Evaluates the rules for each bag, and queues the instances at the handlers. A failure for one bag never
 * rejects.
 */
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

/**
 * Maximum time that the bags of one report may block the event loop, in milliseconds; the bag under way is
 * finished in any case.
 */
const TURN_MS = 10;

/** Yields to the event loop after TURN_MS: expression budgets bound a single bag only. */
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
 * Counts what the mixer has not counted at a check: the whole of a decision from a proxy's cache, and charges
 * against a proxy's leases. Documents that are not in force are left out, so that metric labels stay bounded.
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

/** The texts of a list attribute, or the single text of a text attribute. */
function textsAt(bag: AttributeBag, path: AttributePath): readonly string[] {
  const value = valueAt(bag, path);
  const values: readonly unknown[] = Array.isArray(value) ? value : [value];
  return values.filter((item) => typeof item === "string");
}
