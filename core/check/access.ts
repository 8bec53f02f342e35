// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { chain, type MaybePromise } from "../../kernel/maybe-promise.ts";
import type { DirectResponse } from "../templates/instances.ts";
import type { AccessPolicy, DirectResponseTemplate } from "../snapshot/snapshot.ts";
import { askAll, askEach } from "./choose.ts";
import { evaluate, evaluateCondition, evaluateMessage, Fault, textOf } from "./evaluation.ts";
import { evaluateHeaders, evaluateSide } from "./headers.ts";
import type { CheckPlan, Placed } from "./plan.ts";
import type { DecisionBuilder } from "./decision-builder.ts";

/** DENY policies: the first enforced policy that is true refuses; later ones are not evaluated. */
export function decideDeny(plan: CheckPlan, builder: DecisionBuilder): MaybePromise<void> {
  const ask = (policy: Placed<AccessPolicy>): MaybePromise<void> =>
    chain(holds(policy, builder), (held) => {
      if (held instanceof Fault) return builder.fail(policy, held);
      if (held === undefined) return;
      builder.outcome(policy.ref, held ? "refused" : "passed");
      if (!held) return;
      return policy.document.mode === "shadow" ? builder.refuseInShadow(policy.ref) : refuse(policy, builder);
    });
  return askEach(plan, "deny", builder, ask, (members) => boundByAll(members, builder));
}

/**
 * ALLOW policies: if any enforced ones match, one of them must be true. All are evaluated, because all may
 * change headers.
 */
export function decideAllow(plan: CheckPlan, builder: DecisionBuilder): MaybePromise<void> {
  if (builder.refusal !== undefined || plan.allow.length === 0) return;
  let governing: Placed<AccessPolicy> | undefined;
  const shadows: Placed<AccessPolicy>[] = [];
  let allowed = false;
  let allowedInShadow = false;
  const ask = (policy: Placed<AccessPolicy>): MaybePromise<void> =>
    chain(holds(policy, builder), (held) => {
      if (held instanceof Fault) return builder.fail(policy, held);
      if (held === undefined) return;
      builder.outcome(policy.ref, held ? "passed" : "withheld");
      if (policy.document.mode === "shadow") {
        shadows.push(policy);
        allowedInShadow ||= held;
        return;
      }
      governing = earlier(governing, policy);
      allowed ||= held;
      return held ? changeHeaders(policy, builder, (fault) => builder.fail(policy, fault)) : undefined;
    });
  const asked = askEach(plan, "allow", builder, ask, (members) => {
    boundByAll(members, builder);
    for (const member of members)
      if (member.document.mode === "enforce") governing = earlier(governing, member);
  });
  return chain(asked, () => {
    if (builder.refusal !== undefined) return;
    // Shadow policies are evaluated together with the enforced ones, as if all were enforced.
    if (!allowed && !allowedInShadow) for (const { ref } of shadows) builder.refuseInShadow(ref);
    return governing !== undefined && !allowed ? refuse(governing, builder) : undefined;
  });
}

/** AUDIT policies: record allowed and refused requests alike, and never refuse, not even on failure. */
export function decideAudit(plan: CheckPlan, builder: DecisionBuilder): MaybePromise<void> {
  const ask = (policy: Placed<AccessPolicy>): MaybePromise<void> =>
    chain(holds(policy, builder), (held) => {
      if (held === undefined) return;
      if (held instanceof Fault) return builder.fail(policy, held);
      builder.outcome(policy.ref, held ? "noted" : "passed");
      if (!held || policy.document.mode === "shadow") return;
      builder.audits.push(policy.ref);
      return changeHeaders(policy, builder, (fault) => builder.note(policy.ref, fault));
    });
  // Refused requests are recorded too.
  return askAll(plan, "audit", builder, ask, (members) => boundByAll(members, builder));
}

/** Matching policies limit the decision's validity even when they need not be evaluated. */
function boundByAll(members: readonly Placed<AccessPolicy>[], builder: DecisionBuilder): void {
  for (const { document } of members) builder.bound(document.validDurationMs, document.validUseCount);
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
  const { match, when, validDurationMs, validUseCount } = policy.document;
  return chain(evaluateCondition(match, builder.scope), (matched) => {
    if (matched === false) {
      builder.outcome(policy.ref, "unmatched");
      return undefined;
    }
    // A policy that may match limits the decision's validity too.
    builder.bound(validDurationMs, validUseCount);
    return matched === true ? evaluateCondition(when, builder.scope) : matched;
  });
}

function changeHeaders(
  policy: Placed<AccessPolicy>,
  builder: DecisionBuilder,
  onFault: (fault: Fault) => void,
): MaybePromise<void> {
  return chain(evaluateHeaders(policy.document.headers, builder.scope), (changes) => {
    if (changes instanceof Fault) onFault(changes);
    else builder.change(policy.order, changes);
  });
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
