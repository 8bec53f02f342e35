// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import { chain, type MaybePromise } from "../../kernel/maybe-promise.ts";
import type { DirectResponse } from "../templates/instances.ts";
import type { AccessPolicy, DirectResponseTemplate } from "../snapshot/snapshot.ts";
import { askAll, askEach } from "./choose.ts";
import { evaluate, evaluateCondition, evaluateMessage, Fault, textOf } from "./evaluation.ts";
import { evaluateHeaders, evaluateSide } from "./headers.ts";
import type { CheckPlan, Placed } from "./plan.ts";
import type { Tally } from "./tally.ts";

/** DENY: the first enforced one that is true refuses, and those after it are not asked. */
export function decideDeny(plan: CheckPlan, tally: Tally): MaybePromise<void> {
  const ask = (policy: Placed<AccessPolicy>): MaybePromise<void> =>
    chain(holds(policy, tally), (held) => {
      if (held instanceof Fault) return tally.fail(policy, held);
      if (held === undefined) return;
      tally.outcome(policy.ref, held ? "refused" : "passed");
      if (!held) return;
      return policy.document.mode === "shadow" ? tally.refuseInShadow(policy.ref) : refuse(policy, tally);
    });
  return askEach(plan, "deny", tally, ask, (members) => boundByAll(members, tally));
}

/** ALLOW: when any enforced one governs, one of them must be true. All are asked, because all may change headers. */
export function decideAllow(plan: CheckPlan, tally: Tally): MaybePromise<void> {
  if (tally.refusal !== undefined || plan.allow.length === 0) return;
  let governing: Placed<AccessPolicy> | undefined;
  const shadows: Placed<AccessPolicy>[] = [];
  let allowed = false;
  let allowedInShadow = false;
  const ask = (policy: Placed<AccessPolicy>): MaybePromise<void> =>
    chain(holds(policy, tally), (held) => {
      if (held instanceof Fault) return tally.fail(policy, held);
      if (held === undefined) return;
      tally.outcome(policy.ref, held ? "passed" : "withheld");
      if (policy.document.mode === "shadow") {
        shadows.push(policy);
        allowedInShadow ||= held;
        return;
      }
      governing = earlier(governing, policy);
      allowed ||= held;
      return held ? changeHeaders(policy, tally, (fault) => tally.fail(policy, fault)) : undefined;
    });
  const asked = askEach(plan, "allow", tally, ask, (members) => {
    boundByAll(members, tally);
    for (const member of members)
      if (member.document.mode === "enforce") governing = earlier(governing, member);
  });
  return chain(asked, () => {
    if (tally.refusal !== undefined) return;
    // Those in shadow are tried together with the enforced ones, as they would be if all were enforced.
    if (!allowed && !allowedInShadow) for (const { ref } of shadows) tally.refuseInShadow(ref);
    return governing !== undefined && !allowed ? refuse(governing, tally) : undefined;
  });
}

/** AUDIT: notes allowed and refused requests alike, and never refuses, not even when it fails. */
export function decideAudit(plan: CheckPlan, tally: Tally): MaybePromise<void> {
  const ask = (policy: Placed<AccessPolicy>): MaybePromise<void> =>
    chain(holds(policy, tally), (held) => {
      if (held === undefined) return;
      if (held instanceof Fault) return tally.fail(policy, held);
      tally.outcome(policy.ref, held ? "noted" : "passed");
      if (!held || policy.document.mode === "shadow") return;
      tally.audits.push(policy.ref);
      return changeHeaders(policy, tally, (fault) => tally.note(policy.ref, fault));
    });
  // A refused request is noted too.
  return askAll(plan, "audit", tally, ask, (members) => boundByAll(members, tally));
}

/** Those that govern bound the decision's life, whether they had to be asked or not. */
function boundByAll(members: readonly Placed<AccessPolicy>[], tally: Tally): void {
  for (const { document } of members) tally.bound(document.validDurationMs, document.validUseCount);
}

function earlier(
  known: Placed<AccessPolicy> | undefined,
  policy: Placed<AccessPolicy>,
): Placed<AccessPolicy> {
  return known !== undefined && known.order <= policy.order ? known : policy;
}

/** Whether a policy's condition is true; undefined when it does not govern the request. */
function holds(policy: Placed<AccessPolicy>, tally: Tally): MaybePromise<boolean | undefined | Fault> {
  const { match, when, validDurationMs, validUseCount } = policy.document;
  return chain(evaluateCondition(match, tally.scope), (matched) => {
    if (matched === false) {
      tally.outcome(policy.ref, "unmatched");
      return undefined;
    }
    // One that may govern bounds the decision's life as one that does.
    tally.bound(validDurationMs, validUseCount);
    return matched === true ? evaluateCondition(when, tally.scope) : matched;
  });
}

function changeHeaders(
  policy: Placed<AccessPolicy>,
  tally: Tally,
  onFault: (fault: Fault) => void,
): MaybePromise<void> {
  return chain(evaluateHeaders(policy.document.headers, tally.scope), (changes) => {
    if (changes instanceof Fault) onFault(changes);
    else tally.change(policy.order, changes);
  });
}

/** Refuses for `policy`. A fault in what the client is told leaves that part out; the refusal stands. */
function refuse({ document, ref, order }: Placed<AccessPolicy>, tally: Tally): MaybePromise<void> {
  const { scope } = tally;
  // An ALLOW policy's headers are for the requests for which it is true, and it answers nothing itself.
  const denies = document.action === "DENY";
  const headers = denies ? evaluateSide(document.headers.response, scope) : [];
  const template = denies ? document.directResponse : undefined;
  return chain(headers, (response) =>
    chain(evaluateMessage(document.status.message, `denied by ${ref.name}`, scope), (message) =>
      chain(evaluateDirectResponse(template, message, scope), (directResponse) => {
        if (response instanceof Fault) tally.note(ref, response);
        tally.refuse(
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
  scope: Tally["scope"],
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
