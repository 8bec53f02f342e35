// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { ReportRequest } from "../../../api/mixer-service.ts";
import type { AttributeBag, AttributeValue } from "../../../core/attributes/bag.ts";
import { groupIn } from "../../../core/attributes/group.ts";
import { type DocumentRef, parseDocumentRef } from "../../../core/check/document-ref.ts";
import { parseEvent } from "../../../core/quota/beyond/beyond-event.ts";
import { messageOf } from "../../../kernel/errors.ts";
import {
  attempt,
  chain,
  isPromise,
  type MaybePromise,
  reduceInOrder,
  whenAll,
} from "../../../kernel/maybe-promise.ts";
import { fillReport, type ReportContext } from "../../../core/report/report.ts";
import type { ActiveSnapshot } from "../active-snapshot.ts";
import { callHook } from "../handlers/hook-call.ts";
import type { CallTools } from "./check-call.ts";

type ReportTools = Omit<CallTools, "charger">;

/**
 * Maximum time that the bags of one report may block the event loop, in milliseconds; the bag under way is
 * finished in any case. Expression budgets bound a single bag only.
 */
const TURN_MS = 5;

/**
 * Evaluates the rules for each bag, and queues the instances at the handlers. A failure for one bag never
 * rejects. Settles when the instances for handlers with at-least-once are on disk: then the reporting proxy
 * forgets the bags.
 */
export function takeReport(
  active: ActiveSnapshot,
  request: ReportRequest,
  tools: ReportTools,
): MaybePromise<void> {
  const { durableQueues } = active;
  // Just after a start a queue on disk is not read yet: it could keep only a few items.
  return chain(whenAll(durableQueues.map((queue) => queue.whenOpen())), () =>
    chain(fillQueues(active, request, tools), () =>
      whenAll(durableQueues.map((queue) => queue.whenDurable())),
    ),
  );
}

function fillQueues(active: ActiveSnapshot, { bags }: ReportRequest, tools: ReportTools): MaybePromise<void> {
  const { clock, metrics } = tools;
  metrics.reported(bags.length);
  const startMs = clock.monotonicMs();
  let nowMs = startMs;
  for (let index = 0; index < bags.length; index++) {
    const told = tellAll(active, bags[index] as AttributeBag, tools, nowMs);
    if (isPromise(told)) return takeLater(active, bags, index + 1, told, tools);
    nowMs = clock.monotonicMs();
    if (index + 1 < bags.length && nowMs - startMs >= TURN_MS)
      return takeLater(active, bags, index + 1, nextTurn(), tools);
  }
}

/** Takes the bags from an index on, after `pending`, and yields to the event loop after each TURN_MS. */
async function takeLater(
  active: ActiveSnapshot,
  bags: readonly AttributeBag[],
  from: number,
  pending: Promise<void>,
  tools: ReportTools,
): Promise<void> {
  const { clock } = tools;
  await pending;
  let startMs = clock.monotonicMs();
  for (const bag of bags.slice(from)) {
    if (clock.monotonicMs() - startMs >= TURN_MS) {
      await nextTurn();
      startMs = clock.monotonicMs();
    }
    const told = tellAll(active, bag, tools, clock.monotonicMs());
    if (isPromise(told)) await told;
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

/** @param nowMs The time at which the instances are queued, read once for all of a bag: a reading takes 50 ns. */
function tellAll(
  active: ActiveSnapshot,
  bag: AttributeBag,
  tools: ReportTools,
  nowMs: number,
): MaybePromise<void> {
  countUnseen(active, bag, tools);
  const { observer, reportPlan, reportQueues, snapshot, watchers } = active;
  const context: ReportContext = {
    timeMs: endOf(bag) ?? tools.clock.nowMs(),
    snapshot: snapshot.version,
    onFault: observer.fault,
  };
  const told = fillReport(reportPlan, bag, context, (index, instance) => {
    for (const queue of reportQueues[index] ?? []) queue.offer(instance, nowMs);
  });
  return watchers.length === 0 ? told : chain(told, () => tellPlugins(active, bag, tools));
}

/**
 * Counts what the mixer has not counted at a check: the whole of a decision from a proxy's cache, and charges
 * against a proxy's leases. Documents that are not in force are left out, so that metric labels stay bounded.
 */
function countUnseen(active: ActiveSnapshot, bag: AttributeBag, { metrics }: ReportTools): void {
  const check = groupIn(bag["check"]);
  const quota = groupIn(bag["quota"]);
  for (const text of textsIn(quota["beyond"] ?? [])) {
    const event = parseEvent(text);
    if (event !== undefined && active.quotaPolicies.has(event.policy)) metrics.beyond(event);
  }
  const { policy, shadow_denials: shadowDenials, audits } = check;
  if (policy === undefined && shadowDenials === undefined && audits === undefined) return;
  const decisionUnseen = check["cache_hit"] === true;
  const quotasUnseen = decisionUnseen || quota["cache_hit"] === true;
  if (!quotasUnseen) {
    // The check left it to the proxy whether a limit with further steps refuses.
    const denials = textsIn(policy ?? [])
      .flatMap((text) => parseDocumentRef(text) ?? [])
      .filter(({ kind, name }) => kind === "QuotaPolicy" && hasSteps(active, name));
    metrics.noted({ denials });
    return;
  }
  const unseen = (value: AttributeValue | undefined): readonly DocumentRef[] =>
    textsIn(value)
      .filter((text) => active.documents.has(text))
      .flatMap((text) => parseDocumentRef(text) ?? [])
      .filter(({ kind }) => decisionUnseen || kind === "QuotaPolicy");
  metrics.noted({ denials: unseen(policy), shadowDenials: unseen(shadowDenials), audits: unseen(audits) });
}

function hasSteps({ quotaPolicies }: ActiveSnapshot, name: string): boolean {
  return (quotaPolicies.get(name)?.beyond.length ?? 0) > 0;
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

/** When the request ended, or began; undefined when the bag says neither. */
function endOf(bag: AttributeBag): number | undefined {
  return timeOf(groupIn(bag["response"])["time"]) ?? timeOf(groupIn(bag["request"])["time"]);
}

/** The last time that was parsed: the requests of one millisecond have the same text. */
const lastTime = { text: "", timeMs: Number.NaN };

function timeOf(value: AttributeValue | undefined): number | undefined {
  if (typeof value !== "string") return undefined;
  if (value !== lastTime.text) {
    lastTime.text = value;
    lastTime.timeMs = Date.parse(value);
  }
  return Number.isNaN(lastTime.timeMs) ? undefined : lastTime.timeMs;
}

/** The texts of a list attribute, or the single text of a text attribute. */
function textsIn(value: AttributeValue | undefined): readonly string[] {
  const values: readonly unknown[] = Array.isArray(value) ? value : [value];
  return values.filter((item) => typeof item === "string");
}
