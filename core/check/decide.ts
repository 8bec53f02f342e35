// SPDX-FileCopyrightText: The Purser authors
// SPDX-License-Identifier: Apache-2.0

import type { AttributeBag } from "../attributes/bag.ts";
import { repeatedFields } from "../attributes/repeated.ts";
import type { Meter } from "../../expressions/runtime/reads/meter.ts";
import { chain, type MaybePromise, reduceInOrder } from "../../kernel/maybe-promise.ts";
import { decideAllow, decideAudit, decideDeny } from "./access.ts";
import { readWithAdditions } from "./additions.ts";
import { decideEachValue, type DecideOnce } from "./decide-each-value.ts";
import type { Decision } from "./decision.ts";
import type { Scope } from "./evaluation.ts";
import type { CheckPlan } from "./plan.ts";
import type { CheckContext } from "./ports.ts";
import { decideCharges } from "./quota-charges.ts";
import { decideRules } from "./rules.ts";
import { DecisionBuilder } from "./decision-builder.ts";

/** The order of decision: Istio's, with Mixer's rules between DENY and ALLOW. */
const STEPS = [decideDeny, decideRules, decideAllow, decideAudit, decideCharges] as const;

/**
 * Decides one request. The same documents, bag, time and answers of handlers give the same decision, in any
 * order of the answers. Synchronous unless an expression or a handler is asynchronous. Never throws or
 * rejects because of an expression, a handler or a plugin: the documents' onError decides.
 */
export function decide(plan: CheckPlan, bag: AttributeBag, context: CheckContext): MaybePromise<Decision> {
  const repeated = repeatedFields(bag);
  if (repeated.length === 0) return chain(decideOnce(plan, bag, context), ({ decision }) => decision);
  const once: DecideOnce = (reading, observer, spent) =>
    decideOnce(plan, reading, { ...context, observer }, spent);
  return decideEachValue(bag, repeated, once, context.observer);
}

function decideOnce(
  plan: CheckPlan,
  bag: AttributeBag,
  context: CheckContext,
  spent?: Meter,
): MaybePromise<{ readonly decision: Decision; readonly spent: Meter }> {
  let sourceFailed = false;
  const reading = readWithAdditions(
    bag,
    context.dispatch.attributeSources,
    ({ ref }, fault) => {
      // A plugin that failed this time may add attributes next time, so the decision must not be cached.
      sourceFailed = true;
      context.observer?.fault(ref, fault);
    },
    spent,
  );
  return chain(reading, (read) => {
    const scope: Scope = {
      bag: read.reads.bag,
      context: { nowMs: context.nowMs, reads: read.reads },
      cacheable: !sourceFailed,
    };
    const builder = new DecisionBuilder(scope, context);
    const steps = reduceInOrder(STEPS, undefined as void, (_, step) => step(plan, builder));
    return chain(steps, () => ({ decision: builder.build(read.references()), spent: read.reads }));
  });
}
