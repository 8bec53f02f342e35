// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { chain, chainWith, type MaybePromise } from "../../kernel/maybe-promise.ts";
import type { DirectResponse, HeaderChanges } from "../templates/instances.ts";
import type { AccessPolicy, DirectResponseTemplate } from "../snapshot/snapshot.ts";
import { askAll, askEach } from "./choose.ts";
import { evaluate, evaluateCondition, evaluateMessage, Fault, textOf } from "./evaluation.ts";
import { evaluateHeaders, evaluateSide } from "./headers.ts";
import type { CheckPlan, Placed } from "./plan.ts";
import type { DecisionBuilder } from "./decision-builder.ts";

/** DENY policies: the first enforced policy that is true refuses; later ones are not evaluated. */
export function decideDeny(plan: CheckPlan, builder: DecisionBuilder): MaybePromise<void> {
  return askEach(plan, "deny", builder, askDeny, boundBy);
}

function askDeny(policy: Placed<AccessPolicy>, builder: DecisionBuilder): MaybePromise<void> {
  return chainWith(holds(policy, builder), judgeDeny, policy, builder);
}

function judgeDeny(
  held: boolean | undefined | Fault,
  policy: Placed<AccessPolicy>,
  builder: DecisionBuilder,
): MaybePromise<void> {
  if (held instanceof Fault) return builder.fail(policy, held);
  if (held === undefined) return;
  builder.outcome(policy.ref, held ? "refused" : "passed");
  if (!held) return;
  return policy.document.mode === "shadow" ? builder.refuseInShadow(policy.ref) : refuse(policy, builder);
}

/**
 * ALLOW policies: if any enforced ones match, one of them must be true. All are evaluated, because all may
 * change headers.
 */
export function decideAllow(plan: CheckPlan, builder: DecisionBuilder): MaybePromise<void> {
  if (builder.refusal !== undefined || plan.allow.length === 0) return;
  const progress: AllowProgress = {
    builder,
    governing: undefined,
    shadows: [],
    allowed: false,
    allowedInShadow: false,
  };
  const ask = (policy: Placed<AccessPolicy>): MaybePromise<void> =>
    chainWith(holds(policy, builder), judgeAllow, policy, progress);
  const asked = askEach(plan, "allow", builder, ask, (member) => {
    boundBy(member, builder);
    if (member.document.mode === "enforce") progress.governing = earlier(progress.governing, member);
  });
  return chainWith(asked, concludeAllow, builder, progress);
}

/** Results of the ALLOW policies evaluated so far. */
interface AllowProgress {
  readonly builder: DecisionBuilder;
  governing: Placed<AccessPolicy> | undefined;
  readonly shadows: Placed<AccessPolicy>[];
  allowed: boolean;
  allowedInShadow: boolean;
}

function judgeAllow(
  held: boolean | undefined | Fault,
  policy: Placed<AccessPolicy>,
  progress: AllowProgress,
): MaybePromise<void> {
  const { builder } = progress;
  if (held instanceof Fault) return builder.fail(policy, held);
  if (held === undefined) return;
  builder.outcome(policy.ref, held ? "passed" : "withheld");
  if (policy.document.mode === "shadow") {
    progress.shadows.push(policy);
    progress.allowedInShadow ||= held;
    return;
  }
  progress.governing = earlier(progress.governing, policy);
  progress.allowed ||= held;
  if (!held) return;
  return chainWith(evaluateHeaders(policy.document.headers, builder.scope), changeOrFail, policy, builder);
}

function concludeAllow(
  _: void,
  builder: DecisionBuilder,
  { governing, shadows, allowed, allowedInShadow }: AllowProgress,
): MaybePromise<void> {
  if (builder.refusal !== undefined) return;
  // Shadow policies are evaluated together with the enforced ones, as if all were enforced.
  if (!allowed && !allowedInShadow) for (const { ref } of shadows) builder.refuseInShadow(ref);
  return governing !== undefined && !allowed ? refuse(governing, builder) : undefined;
}

/** AUDIT policies: record allowed and refused requests alike, and never refuse, not even on failure. */
export function decideAudit(plan: CheckPlan, builder: DecisionBuilder): MaybePromise<void> {
  // Refused requests are recorded too.
  return askAll(plan, "audit", builder, askAudit, boundBy);
}

function askAudit(policy: Placed<AccessPolicy>, builder: DecisionBuilder): MaybePromise<void> {
  return chainWith(holds(policy, builder), judgeAudit, policy, builder);
}

function judgeAudit(
  held: boolean | undefined | Fault,
  policy: Placed<AccessPolicy>,
  builder: DecisionBuilder,
): MaybePromise<void> {
  if (held === undefined) return;
  if (held instanceof Fault) return builder.fail(policy, held);
  builder.outcome(policy.ref, held ? "noted" : "passed");
  if (!held || policy.document.mode === "shadow") return;
  builder.audits.push(policy.ref);
  return chainWith(evaluateHeaders(policy.document.headers, builder.scope), changeOrNote, policy, builder);
}

/** Matching policies limit the decision's validity even when they need not be evaluated. */
function boundBy({ document }: Placed<AccessPolicy>, builder: DecisionBuilder): void {
  builder.bound(document.validDurationMs, document.validUseCount);
}

function earlier(
  known: Placed<AccessPolicy> | undefined,
  policy: Placed<AccessPolicy>,
): Placed<AccessPolicy> {
  return known !== undefined && known.order <= policy.order ? known : policy;
}

/** Whether a policy's condition is true; undefined when the policy does not match the request. */
function holds(
  policy: Placed<AccessPolicy>,
  builder: DecisionBuilder,
): MaybePromise<boolean | undefined | Fault> {
  return chainWith(
    evaluateCondition(policy.document.match, builder.scope),
    holdsWhenMatched,
    policy,
    builder,
  );
}

function holdsWhenMatched(
  matched: boolean | Fault,
  { ref, document }: Placed<AccessPolicy>,
  builder: DecisionBuilder,
): MaybePromise<boolean | undefined | Fault> {
  if (matched === false) {
    builder.outcome(ref, "unmatched");
    return undefined;
  }
  // A policy that may match limits the decision's validity too.
  builder.bound(document.validDurationMs, document.validUseCount);
  return matched === true ? evaluateCondition(document.when, builder.scope) : matched;
}

function changeOrFail(
  changes: HeaderChanges | Fault,
  policy: Placed<AccessPolicy>,
  builder: DecisionBuilder,
): void {
  if (changes instanceof Fault) builder.fail(policy, changes);
  else builder.change(policy.order, changes);
}

function changeOrNote(
  changes: HeaderChanges | Fault,
  { ref, order }: Placed<AccessPolicy>,
  builder: DecisionBuilder,
): void {
  if (changes instanceof Fault) builder.note(ref, changes);
  else builder.change(order, changes);
}

/**
 * Refuses for `policy`. A fault in the reply's message, headers or body omits that part; the refusal stands.
 */
function refuse(
  { document, ref, order }: Placed<AccessPolicy>,
  builder: DecisionBuilder,
): MaybePromise<void> {
  const { scope } = builder;
  // Headers of an ALLOW policy are for requests for which it is true, and it has no direct response.
  const denies = document.action === "DENY";
  const headers = denies ? evaluateSide(document.headers.response, scope) : [];
  const template = denies ? document.directResponse : undefined;
  return chain(headers, (response) =>
    chain(evaluateMessage(document.status.message, `denied by ${ref.name}`, scope), (message) =>
      chain(evaluateDirectResponse(template, message, scope), (directResponse) => {
        if (response instanceof Fault) builder.note(ref, response);
        builder.refuse(
          {
            status: { code: document.status.code, message },
            reason: { kind: "policy" },
            decidedBy: ref,
            ...(directResponse === undefined ? {} : { directResponse }),
          },
          order,
          response instanceof Fault ? undefined : { response },
        );
      }),
    ),
  );
}

function evaluateDirectResponse(
  template: DirectResponseTemplate | undefined,
  message: string,
  scope: DecisionBuilder["scope"],
): MaybePromise<DirectResponse | undefined> {
  if (template === undefined) return undefined;
  const { httpStatus, headers, body } = template;
  if (body === undefined) return { httpStatus, headers, body: "" };
  return chain(evaluate(body, scope), (value) => {
    if (value === undefined) return { httpStatus, headers, body: "" };
    if (value instanceof Fault) return { httpStatus, headers, body: message };
    if (typeof value === "string") return { httpStatus, headers, body: value };
    return { httpStatus, headers: { "content-type": "application/json", ...headers }, body: textOf(value) };
  });
}
